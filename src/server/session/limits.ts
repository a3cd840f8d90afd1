/** The operator's limits of one session, and which of them is used up. Pure. */
import type { Reason } from '../../words/result.ts';
import type { Granted } from '../store/session-threads.ts';

export interface Limits {
  maxBudgetUsd: number | null;
  maxTurns: number | null;
  sessionMinutes: number;
  maxBudgetUsdPerRepositoryDay: number | null;
  maxBudgetUsdPerDay: number | null;
}

export interface Used {
  spentUsd: number;
  turns: number;
  workedMs: number;
  today: { repository: number; all: number };
}

export interface Reached {
  reason: Reason;
  message: string;
  /** Whether `/continue` helps: the caps of a day are the operator's. */
  canContinue: boolean;
}

/** What is left of a session; null where there is no limit. Never below 0. */
export function left(
  limits: Limits,
  granted: Granted,
  used: Used,
): { usd: number | null; turns: number | null; ms: number } {
  const rest = (limit: number | null, more: number | undefined, gone: number) =>
    limit === null ? null : Math.max(0, limit + (more ?? 0) - gone);
  const usd = [
    rest(limits.maxBudgetUsd, granted.usd, used.spentUsd),
    rest(limits.maxBudgetUsdPerRepositoryDay, 0, used.today.repository),
    rest(limits.maxBudgetUsdPerDay, 0, used.today.all),
  ].filter((amount) => amount !== null);
  return {
    usd: usd.length > 0 ? Math.min(...usd) : null,
    turns: rest(limits.maxTurns, granted.turns, used.turns),
    ms: rest(limits.sessionMinutes * 60_000, (granted.minutes ?? 0) * 60_000, used.workedMs)!,
  };
}

/** The first limit that is used up; null when there is room for more. */
export function reached(limits: Limits, granted: Granted, used: Used): Reached | null {
  const { maxBudgetUsdPerDay: day, maxBudgetUsdPerRepositoryDay: repositoryDay } = limits;
  if (day !== null && used.today.all >= day)
    return operators(`The budget of the day ($${day}, \`MAX_BUDGET_USD_PER_DAY\`) is used up.`);
  if (repositoryDay !== null && used.today.repository >= repositoryDay)
    return operators(
      `The repository's budget of the day ($${repositoryDay}, \`MAX_BUDGET_USD_PER_REPOSITORY_DAY\`) is used up.`,
    );
  const rest = left(limits, granted, used);
  if (rest.usd !== null && rest.usd <= 0)
    return own(
      'budget',
      `This has cost $${used.spentUsd.toFixed(2)}, as much as it may (\`MAX_BUDGET_USD\`).`,
    );
  if (rest.turns !== null && rest.turns <= 0)
    return own('turns', `Claude has taken ${used.turns} turns, as many as it may (\`MAX_TURNS\`).`);
  if (rest.ms <= 0)
    return own(
      'timed_out',
      `Claude has worked as long as it may (\`SESSION_MINUTES\`: ${limits.sessionMinutes}).`,
    );
  return null;
}

function operators(message: string): Reached {
  return { reason: 'budget', message, canContinue: false };
}

function own(reason: Reason, message: string): Reached {
  return { reason, message, canContinue: true };
}
