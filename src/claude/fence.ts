/** Opens the fence around Claude Code and everything it starts: for the Action and the server alike. */
import { randomUUID } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../words/errors.ts';
import type { Fence } from '../words/fence.ts';
import type { Log } from '../words/log.ts';
import { defaultEgress, openEgress } from './egress.ts';
import type { Environment } from './environment.ts';
import { type Bind, type FenceLayout, proxyPort, socketDirectory } from './fence-arguments.ts';
import { makeControlGroup } from './fence-cgroup.ts';
import { copyCredentials } from './fence-credentials.ts';
import { fencedEnvironment, type ModelPlace, modelPlace } from './fence-environment.ts';
import { watchMemory } from './fence-limits.ts';
import { giveBack, giveTo, type Owner, type Owners, ownerFor, ownersOf } from './fence-owner.ts';
import {
  type Home,
  makeDirectory,
  makeHome,
  programPlaces,
  systemPlaces,
  toolPlaces,
} from './fence-places.ts';
import { encloser } from './fence-program.ts';
import { findProgram, probeFence } from './fence-support.ts';
import { openModelSocket } from './model-socket.ts';

export { type FenceSupport, probeFence } from './fence-support.ts';

export interface FenceRequest {
  /** Absolute; the only tree of the host that can be written, besides the fence's own HOME and TMPDIR. */
  workspace: string;
  /** Seen at the same path: the Claude executable, a trusted base, a mirror. */
  readOnly: string[];
  /** A private directory of the host; the fence makes one of its own in it. */
  scratch: string;
  /** Claude's environment as it would be without a fence, with its credential. */
  environment: Environment;
  /** `host:port`, besides the package registries. */
  egressAllowed: string[];
  limits: { processes: number; memoryMiB: number };
  /** A `.claude` whose settings, skills and the like are taken over; null for none. */
  userConfiguration?: string | null;
  /** Directories that must not be opened by what PATH names. */
  hidden?: string[];
  /** Told before the workspace changes hands, with what gives it back: for `post`, when this process is killed. */
  onOwners?: (owners: Owners) => void;
  log: Log;
}

export interface OpenFence extends Fence {
  /** The environment for Claude: placeholders, sockets, proxies, a HOME inside. */
  claudeEnvironment: Environment;
  /** Gives the workspace to its former owners, once Claude has ended. */
  giveBackWorkspace(): Promise<void>;
  /** Requests that went to the model. */
  modelRequests(): number;
  /** Ends the ways out and removes what is the fence's own; end Claude first. */
  close(): Promise<void>;
}

/** @throws AppError `sandbox_unavailable` where `probeFence` says no. */
export async function openFence(request: FenceRequest): Promise<OpenFence> {
  const [support, bwrap, socat, workspace] = await Promise.all([
    probeFence(),
    findProgram('bwrap'),
    findProgram('socat'),
    realpath(request.workspace),
  ]);
  if (!support.usable || !bwrap) throw unavailable(support);
  const owner = ownerFor(workspace);
  const directory = join(request.scratch, `fence-${randomUUID().slice(0, 8)}`);
  // What has to be undone when a later step fails, the last first.
  const undo: (() => Promise<unknown> | undefined)[] = [];
  try {
    return await build(request, { bwrap, socat, owner, workspace, directory, undo });
  } catch (error) {
    for (const step of undo.reverse()) await step()?.catch(() => undefined);
    throw error;
  }
}

interface Ground {
  bwrap: string;
  socat: string | null;
  owner: Owner | null;
  workspace: string;
  directory: string;
  undo: (() => Promise<unknown> | undefined)[];
}

async function build(request: FenceRequest, ground: Ground): Promise<OpenFence> {
  const { bwrap, socat, owner, workspace, directory, undo } = ground;
  await makeDirectory(directory);
  undo.push(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const [owners, home] = await Promise.all([
    owner ? ownersOf(workspace) : null,
    makeHome(directory, request.userConfiguration ?? null),
  ]);
  if (owners) request.onOwners?.(owners);
  const model = modelPlace(request.environment);
  model.files = await copyCredentials(model.files, home.home);
  const ways = await openWays(request, { directory, owner, model });
  undo.push(ways.close);
  if (owners) undo.push(() => giveBack(workspace, owners));
  if (owner) await giveTo(owner, [workspace, home.home, home.temp, home.etc]);
  const group = await makeControlGroup(`forgehand-${basename(directory)}`, request.limits);
  const watch = watchMemory(request.limits.memoryMiB, request.log);
  const { enclose } = encloser({
    ...{ bwrap, owner, directory, processes: request.limits.processes },
    layout: layoutOf(request, workspace, home),
    networkBinds: [...ways.binds, ...(socat ? [] : [{ path: nodeInside, from: process.execPath }])],
    bridge: socat ? socatBridge(socat) : nodeBridge(),
    group,
  });
  return {
    enclose,
    owner,
    started: watch.add,
    claudeEnvironment: fencedEnvironment(request.environment, model, home),
    takeWorkspace: async () => {
      if (owner) await giveTo(owner, [workspace]);
    },
    giveBackWorkspace: async () => {
      if (owners) await giveBack(workspace, owners);
    },
    modelRequests: ways.modelRequests,
    close: async () => {
      watch.close();
      await ways.close();
      await group?.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

const sockets = { model: `${socketDirectory}/model.sock`, egress: `${socketDirectory}/egress.sock` };

/** The two sockets of the host: to the model, and to the listed hosts. */
async function openWays(
  { environment, egressAllowed, log }: FenceRequest,
  fence: { directory: string; owner: Owner | null; model: ModelPlace },
): Promise<{ binds: Bind[]; modelRequests(): number; close(): Promise<void> }> {
  const { directory, owner } = fence;
  const { access, egress: provider } = fence.model;
  const at = { model: join(directory, 'model.sock'), egress: join(directory, 'egress.sock') };
  const allowed = [...defaultEgress, ...egressAllowed, ...provider];
  const egress = await openEgress({ path: at.egress, owner, allowed, log });
  const model = access && (await openModelSocket({ path: at.model, owner, access, environment, log }));
  return {
    binds: [
      { path: sockets.egress, from: at.egress },
      ...(model ? [{ path: sockets.model, from: at.model }] : []),
    ],
    modelRequests: () => model?.passed() ?? 0,
    close: async () => {
      await Promise.all([model?.close(), egress.close()]);
    },
  };
}

function layoutOf(request: FenceRequest, workspace: string, home: Home): FenceLayout {
  const { environment, scratch, readOnly } = request;
  const { links, binds } = systemPlaces();
  const hidden = [scratch, workspace, dirname(workspace), environment.HOME, ...(request.hidden ?? [])];
  const tools = toolPlaces(
    environment,
    hidden.filter((path) => path !== undefined),
  );
  return { links, workspace, binds: [...binds, ...tools, ...programPlaces(readOnly), ...home.binds] };
}

function unavailable(support: Awaited<ReturnType<typeof probeFence>>): AppError {
  const { why, remedy } = support.usable ? { why: 'bubblewrap is gone', remedy: undefined } : support;
  return new AppError('sandbox_unavailable', `There is no fence for Claude: ${why}.`, { remedy });
}

const nodeInside = `${socketDirectory}/node`;

function socatBridge(socat: string): string[] {
  const listening = `TCP-LISTEN:${proxyPort},bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=128`;
  return [socat, listening, `UNIX-CONNECT:${sockets.egress}`];
}

/** The same with what is there in any case; it costs 40 ms more. */
function nodeBridge(): string[] {
  const script = `require('net').createServer({noDelay:true,allowHalfOpen:true},a=>{const b=require('net').connect({path:${JSON.stringify(sockets.egress)},allowHalfOpen:true});a.pipe(b);b.pipe(a);for(const s of[a,b])s.on('error',()=>{a.destroy();b.destroy()})}).listen(${proxyPort},'127.0.0.1')`;
  return [nodeInside, '-e', script];
}
