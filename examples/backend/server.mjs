// A backend that gives Claude one task and hears how it goes, until it ends. Try it from a clone, after `npm run build`:
//
//   GITHUB_TOKEN=… PUBLIC_URL=https://api.example.com node examples/backend/server.mjs owner/repo "Say hello."
//
// PUBLIC_URL leads to PORT of this machine. Elsewhere, `npm install forgehand` first. See docs/dispatch.md.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { dispatchTask, isTerminal, verifyProgress } from 'forgehand/client';

const { GITHUB_TOKEN: token, GITHUB_API_URL: apiUrl, OIDC_ISSUER: issuer, PORT = '8080' } = process.env;
const [repository, task] = process.argv.slice(2);
if (!repository || !task || !token) {
  console.error('Usage: GITHUB_TOKEN=… PUBLIC_URL=… node server.mjs owner/repo "task"');
  process.exit(2);
}

const server = createServer((request, response) => {
  receive(request)
    .catch((error) => ({ status: error.status ?? 500, body: { error: error.message } }))
    .then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
});
await once(server.listen(Number(PORT)), 'listening');

const { origin } = new URL(process.env.PUBLIC_URL ?? `http://localhost:${server.address().port}`);
const correlationId = randomUUID();
const progressEndpoint = `${origin}/progress`;
const heard = new Set();

await dispatchTask({ repository, task, token, apiUrl, correlationId, progressEndpoint });
console.log(`Started ${correlationId} in ${repository}.`);

async function receive(request) {
  if (request.method !== 'POST' || request.url !== '/progress') throw refusal(404, 'There is nothing here.');
  const trust = { oidc: { audience: origin, repositories: [repository], issuer } };
  const event = await verifyProgress({ headers: request.headers, body: await read(request) }, trust);
  if (event.correlation_id !== correlationId) throw refusal(409, 'This is not our task.');
  // An event may come twice; both have the same id.
  const status = heard.has(event.event_id) ? 'duplicate' : 'accepted';
  heard.add(event.event_id);
  if (status === 'accepted') show(event);
  return { status: 202, body: { status } };
}

function show(event) {
  // JSON keeps control characters in the message from steering the terminal.
  console.log(
    `${event.status}: ${JSON.stringify(event.message)} (tasks done: ${event.completed_tasks.length})`,
  );
  if (!isTerminal(event.status)) return;
  console.log(`It ended: ${JSON.stringify(event.result, null, 2)}`);
  process.exitCode = event.status === 'completed' ? 0 : 1;
  server.close();
}

async function read(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > 256 * 1024) throw refusal(413, 'No progress event is as long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refusal(status, message) {
  return Object.assign(new Error(message), { status });
}
