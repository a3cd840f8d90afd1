/** Webhook payloads in GitHub's shapes, drawn from the present state. */

import type { Installation } from '../app-model.ts';
import type { WebhookEvent } from '../deliveries.ts';
import { branchTip } from '../git/refs.ts';
import type { Repository, WorkflowRun } from '../model.ts';
import { renderRun } from '../render/run.ts';
import { renderUser } from '../render/user.ts';
import type { Store } from '../store.ts';
import { discussionEvents } from './discussion-events.ts';
import { type EventOptions, frame } from './frame.ts';
import { pushPayload } from './push.ts';
import { subjectEvents } from './subject-events.ts';

/** Makes events; each answers with the name and payload for `GITHUB_EVENT_PATH` or a delivery. */
export function eventMaker(store: Store) {
  return {
    ...subjectEvents(store),
    ...discussionEvents(store),
    ...dispatchEvents(store),
    ...codeEvents(store),
    ...otherEvents(store),
  };
}

/** Events that somebody or a clock asked for. */
function dispatchEvents(store: Store) {
  return {
    async workflowDispatch(
      of: string | Repository,
      options: EventOptions & { inputs?: Record<string, string>; ref?: string; workflow?: string } = {},
    ): Promise<WebhookEvent> {
      const repository = named(store, of);
      const {
        inputs = {},
        ref = `refs/heads/${repository.defaultBranch}`,
        workflow = '.github/workflows/claude.yml',
      } = options;
      const payload = { inputs, ref, workflow, ...frame(store, repository, repository.owner, options) };
      return { name: 'workflow_dispatch', payload };
    },

    async repositoryDispatch(
      of: string | Repository,
      eventType: string,
      clientPayload: Record<string, unknown> = {},
      options: EventOptions = {},
    ): Promise<WebhookEvent> {
      const repository = named(store, of);
      const rest = frame(store, repository, repository.owner, options);
      const payload = {
        action: eventType,
        branch: repository.defaultBranch,
        client_payload: clientPayload,
        ...rest,
      };
      return { name: 'repository_dispatch', payload };
    },

    /** Actions only: GitHub sends no webhook for it, and the payload has little more than the schedule. */
    async schedule(of: string | Repository, schedule = '0 4 * * *'): Promise<WebhookEvent> {
      const repository = named(store, of);
      const workflow = '.github/workflows/claude.yml';
      return {
        name: 'schedule',
        payload: { schedule, workflow, ...frame(store, repository, repository.owner, {}) },
      };
    },
  };
}

/** Events of branches and workflow runs. */
function codeEvents(store: Store) {
  return {
    /** @param range `before` defaults to the parent of `after`, `after` to the branch's tip; a new `tag` has no `before`. */
    async push(
      of: string | Repository,
      range: EventOptions & { branch?: string; tag?: string; before?: string; after?: string } = {},
    ): Promise<WebhookEvent> {
      const repository = named(store, of);
      const branch = range.branch ?? repository.defaultBranch;
      const after = range.after ?? branchTip(repository.directory, branch);
      if (!after) throw new Error(`There is no branch ${branch}.`);
      const changes = await pushPayload(store, repository, { branch, before: range.before, after });
      if (range.tag) Object.assign(changes, tagged(range.tag));
      return { name: 'push', payload: { ...changes, ...frame(store, repository, repository.owner, range) } };
    },

    async workflowRun(
      of: string | Repository,
      run: WorkflowRun,
      action = 'completed',
      options: EventOptions = {},
    ): Promise<WebhookEvent> {
      const repository = named(store, of);
      const rendered = await renderRun(store, repository, run);
      const workflow = {
        id: run.id,
        node_id: `W_${run.id}`,
        name: run.name,
        path: run.path,
        state: 'active',
      };
      const rest = frame(store, repository, run.actor, options);
      return { name: 'workflow_run', payload: { action, workflow_run: rendered, workflow, ...rest } };
    },
  };
}

/** What differs where a tag is pushed that was not there. */
function tagged(tag: string) {
  return { ref: `refs/tags/${tag}`, before: '0'.repeat(40), created: true, commits: [] };
}

function otherEvents(store: Store) {
  return {
    /** GitHub's greeting to a new hook. */
    async ping(of: string | Repository, options: EventOptions = {}): Promise<WebhookEvent> {
      const repository = named(store, of);
      const hook = {
        type: 'Repository',
        id: 1,
        name: 'web',
        active: true,
        events: ['*'],
        config: { content_type: 'json' },
      };
      const rest = frame(store, repository, repository.owner, options);
      return { name: 'ping', payload: { zen: 'Keep it logically awesome.', hook_id: 1, hook, ...rest } };
    },

    async installation(installation: Installation, action = 'created'): Promise<WebhookEvent> {
      const sender = renderUser(store, installation.account);
      const account = {
        id: installation.id,
        app_id: installation.app.id,
        account: sender,
        permissions: installation.permissions,
      };
      return { name: 'installation', payload: { action, installation: account, repositories: [], sender } };
    },

    /** Any event that has no method of its own: the given fields beside repository and sender. */
    async other(
      name: string,
      of: string | Repository,
      fields: Record<string, unknown> = {},
      options: EventOptions = {},
    ): Promise<WebhookEvent> {
      const repository = named(store, of);
      return { name, payload: { ...fields, ...frame(store, repository, repository.owner, options) } };
    },
  };
}

function named(store: Store, repository: string | Repository): Repository {
  return typeof repository === 'string' ? store.repository(repository) : repository;
}
