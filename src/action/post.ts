/** The Action's post step: whatever happened to main, nothing is left running, lost, hanging or valid. */
import { type Rescue, rescue } from '../engine/rescue/rescue.ts';
import { createLog } from '../words/log.ts';
import { redactor } from '../words/redact.ts';
import { runnerCommands } from './commands.ts';
import { readJob, readPayload, secretsOf } from './job.ts';
import { recall } from './memory.ts';

const commands = runnerCommands(process.env, (line) => process.stdout.write(`${line}\n`));
const job = readJob(process.env);
const secrets = new Set<string>();
const redact = redactor(secrets);

const remembered = <Name extends keyof Rescue['memory']>(name: Name): Rescue['memory'][Name] | undefined => {
  try {
    return recall(process.env, job.temp, name);
  } catch {
    commands.annotate('warning', `What main remembered as \`${name}\` cannot be read.`);
    return undefined;
  }
};

/** Whatever main's memory says: what cannot be iterated or is no text would end this step before it began. */
const tokens = [remembered('tokens')].flat().filter((token) => typeof token === 'string');
for (const secret of [...tokens, ...secretsOf(job)]) if (secret) secrets.add(secret);

/** What the event that started the job says itself; what cannot be read has started nothing. */
function readNamed(): {
  clientPayload?: Record<string, unknown>;
  branch: string | null;
  subject: number | null;
} {
  try {
    const { client_payload, pull_request, issue } = readPayload(process.env) as NamedPayload;
    const dispatched = job.eventName === 'repository_dispatch' ? (client_payload ?? {}) : undefined;
    const subject = dispatched?.pull_number ?? pull_request?.number ?? issue?.number;
    return {
      ...(dispatched && { clientPayload: dispatched }),
      branch: typeof dispatched?.branch === 'string' ? dispatched.branch : null,
      subject: typeof subject === 'number' ? subject : null,
    };
  } catch {
    return { branch: null, subject: null };
  }
}

interface NamedPayload {
  client_payload?: Record<string, unknown> | null;
  pull_request?: { number?: number };
  issue?: { number?: number };
}
const named = readNamed();

await rescue({
  ...job,
  clientPayload: named.clientPayload,
  namedBranch: named.branch,
  subject: named.subject,
  job: process.env,
  redact,
  secrets: () => secrets,
  log: createLog((level, message, fields) => commands.sink(level, redact(message), fields)),
  summary: (markdown) => commands.summary(redact(markdown)),
  memory: {
    run: remembered('run'),
    tokens,
    claude: remembered('claude'),
    container: remembered('container'),
    checkout: remembered('checkout'),
    owners: remembered('owners'),
    comment: remembered('comment'),
    publishing: remembered('publishing'),
    review: remembered('review'),
    progress: remembered('progress'),
    reaction: remembered('reaction'),
    result: remembered('result'),
    cancelled: remembered('cancelled'),
    ended: remembered('ended'),
  },
});
process.exit(0);
