/** For the tests of mirrors, workspaces and branches: a project behind HTTP, its mirror, and a lock within this process. */
import { join } from 'node:path';
import {
  commit,
  type GitServer,
  makeProject,
  type Project,
  serveGit,
  shellGit,
} from './local-remote.test-support.ts';
import { type MirrorRequest, updateMirror } from './mirror.ts';
import { mirrorDirectory } from './places.ts';

export interface MirroredProject extends Project {
  server: GitServer;
  /** Where the mirror is, once `update` has made it. */
  mirror: string;
  update(more?: Partial<MirrorRequest>): Promise<void>;
  /** Somebody commits and pushes; the new commit's id. */
  push(branch: string, files?: Record<string, string>): string;
}

export async function mirrored(files?: Record<string, string>): Promise<MirroredProject> {
  const project = makeProject(files);
  const server = await serveGit(join(project.root, 'server'));
  const mirror = mirrorDirectory(join(project.root, 'data'), 'owner/repo');
  const exclusive = oneAtATime();
  return {
    ...project,
    server,
    mirror,
    update: (more) => updateMirror({ directory: mirror, remote: server.remote, exclusive, ...more }),
    push: (branch, changes = {}) => {
      if (shellGit(project.source, 'branch', '--list', branch) === '')
        shellGit(project.source, 'branch', '-q', branch, 'main');
      shellGit(project.source, 'checkout', '-q', branch);
      const sha = commit(project.source, changes, `Change ${branch}`);
      shellGit(project.source, 'push', '-q', '--force', 'origin', branch);
      return sha;
    },
  };
}

/** What a lock across processes does, within one. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
}
