import { expect, test } from 'vitest';
import type { Progress } from '../words/result.ts';
import { progressServer } from './progress.ts';

function call(input: Record<string, unknown>) {
  const told: Progress[] = [];
  const { tools } = progressServer(async (progress) => {
    told.push(progress);
  });
  return tools[0]!.call(input).then((answer) => ({ answer, told }));
}

test('the names that workflows list', () => {
  const { name, tools } = progressServer(async () => {});
  expect([name, tools.map((tool) => tool.name)]).toEqual(['github_progress', ['update_claude_progress']]);
});

test('what Claude says is reported as work in progress', async () => {
  const { answer, told } = await call({
    message: 'Implementing…',
    completed_tasks: ['Set up environment'],
    current_task: 'Writing tests',
  });
  expect(answer.isError).toBe(false);
  expect(told).toEqual([
    {
      status: 'in_progress',
      message: 'Implementing…',
      completedTasks: ['Set up environment'],
      currentTask: 'Writing tests',
    },
  ]);
});

test('a message is enough', async () => {
  expect((await call({ message: 'Hello' })).told).toEqual([{ status: 'in_progress', message: 'Hello' }]);
});

test('an end that Claude claims stays work in progress', async () => {
  const { told } = await call({ message: 'Done', status: 'completed' });
  expect(told).toEqual([{ status: 'in_progress', message: 'Done' }]);
});

test.each([{}, { message: '' }, { message: 'a', completed_tasks: 'b' }, { message: 'a', current_task: 1 }])(
  'what does not fit is for Claude to correct: %j',
  async (input) => {
    const { answer, told } = await call(input);
    expect([answer.isError, told]).toEqual([true, []]);
  },
);
