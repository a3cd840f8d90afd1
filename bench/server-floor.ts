/** The floor of an acknowledgement, a program of its own: checks the signature, inserts one row, answers. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

const [url, secret] = process.argv.slice(2) as [string, string];
const pool = new pg.Pool({ connectionString: url, max: 16 });
await pool.query('create table if not exists public.floor (id text primary key, payload text not null)');

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const claimed = Buffer.from(String(request.headers['x-hub-signature-256']).slice(7), 'hex');
  if (!timingSafeEqual(createHmac('sha256', secret).update(body).digest(), claimed)) {
    return response.writeHead(401).end();
  }
  await pool.query('insert into public.floor values ($1, $2)', [
    request.headers['x-github-delivery'],
    body.toString(),
  ]);
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"accepted"}');
});
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
});
process.once('disconnect', () => process.exit());
