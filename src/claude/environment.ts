/** The environment of Claude's process: made from an allow-list, never inherited, so that no credential slips in. */

/** Whole names, and prefixes (ending in `*`), that pass from the job to Claude when they are set. */
const passed = [
  // the machine
  `PATH HOME USER LOGNAME SHELL TERM TZ TMPDIR TEMP TMP LANG LC_* SYSTEMROOT COMSPEC PATHEXT APPDATA LOCALAPPDATA
   USERPROFILE PROGRAMDATA PROGRAMFILES`,
  // facts of the job that scripts ask for; the runner's command files and tokens are not among them
  `CI GITHUB_ACTIONS GITHUB_ACTOR GITHUB_BASE_REF GITHUB_EVENT_NAME GITHUB_HEAD_REF GITHUB_JOB GITHUB_REF GITHUB_REF_NAME
   GITHUB_REF_TYPE GITHUB_REPOSITORY GITHUB_REPOSITORY_OWNER GITHUB_RUN_ATTEMPT GITHUB_RUN_ID GITHUB_RUN_NUMBER
   GITHUB_SERVER_URL GITHUB_SHA GITHUB_WORKFLOW GITHUB_WORKSPACE RUNNER_ARCH RUNNER_OS RUNNER_TRACKING_ID IS_SANDBOX`,
  // tool chains that set-up actions announce
  `JAVA_HOME* GOROOT* GOPATH ANDROID_HOME ANDROID_SDK_ROOT DOTNET_ROOT PYTHONPATH pythonLocation VIRTUAL_ENV CONDA_PREFIX
   CARGO_HOME RUSTUP_HOME NVM_DIR VOLTA_HOME PNPM_HOME BUN_INSTALL GEM_HOME NODE_VERSION PKG_CONFIG_PATH LD_LIBRARY_PATH`,
  // the way out
  `HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy NODE_EXTRA_CA_CERTS SSL_CERT_FILE
   SSL_CERT_DIR`,
  // the model and its providers
  `ANTHROPIC_* CLAUDE_CONFIG_DIR CLAUDE_CODE_* DISABLE_PROMPT_CACHING* MAX_THINKING_TOKENS API_TIMEOUT_MS
   BASH_DEFAULT_TIMEOUT_MS BASH_MAX_TIMEOUT_MS MCP_TIMEOUT MCP_TOOL_TIMEOUT MAX_MCP_OUTPUT_TOKENS AWS_* CLOUD_ML_REGION
   GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT VERTEX_REGION_* AZURE_* OTEL_*`,
].flatMap((group) => group.split(/\s+/));

/** Never passed, though a prefix above would let them: they belong to another session that this job may run in. */
const withheld = ['CLAUDE_CODE_SSE_PORT', 'CLAUDE_CODE_SESSION_ID', 'CLAUDE_CODE_ENTRYPOINT'];

export type Environment = Record<string, string>;

/**
 * The part of `job` that Claude may see. Unset and empty variables stay unset: some credential chains break on ''.
 * @param platform Windows spells names as it likes (`Path`, `SystemRoot`), and means the same.
 */
export function allowedEnvironment(
  job: Record<string, string | undefined>,
  platform: NodeJS.Platform = process.platform,
): Environment {
  const isPassed = listed(passed, platform === 'win32');
  const isWithheld = listed(withheld, platform === 'win32');
  const environment: Environment = {};
  for (const [name, value] of Object.entries(job)) {
    if (value && isPassed(name) && !isWithheld(name)) environment[name] = value;
  }
  return environment;
}

/** What Forgehand itself sets: no update, no telemetry beyond what the job asked for, and who is calling. */
export const fixedEnvironment: Environment = {
  CLAUDE_CODE_ENTRYPOINT: 'forgehand',
  CLAUDE_CODE_ACTION: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  GIT_TERMINAL_PROMPT: '0',
};

function listed(entries: string[], ignoreCase: boolean): (name: string) => boolean {
  const spelt = (name: string) => (ignoreCase ? name.toUpperCase() : name);
  const wanted = entries.map(spelt);
  return (name) =>
    wanted.some((entry) =>
      entry.endsWith('*') ? spelt(name).startsWith(entry.slice(0, -1)) : spelt(name) === entry,
    );
}
