/** What Claude's environment becomes inside the fence: placeholders for credentials, sockets, proxies, a HOME of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.ts';
import { proxyPort, socketDirectory } from './fence-arguments.ts';
import type { ModelAccess } from './model-socket.ts';

/** Where the model is: behind the host's socket, or with a cloud provider whose credentials have to be inside. */
export interface ModelPlace {
  /** Null for a provider. */
  access: ModelAccess | null;
  /** `host:port` of the provider. */
  egress: string[];
  /** Files with credentials that the provider's chain reads, by the variable that names them. */
  files: Record<string, string>;
}

const credentials = ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_AUTH_TOKEN'] as const;
/** What stands where a credential stood: Claude Code chooses by the variable's name how it asks. */
const placeholder = 'placeholder-the-host-adds-the-credential';

export function modelPlace(environment: Environment): ModelPlace {
  const isOn = (name: string) => /^(1|true|yes|on)$/i.test(environment[name] ?? '');
  if (isOn('CLAUDE_CODE_USE_BEDROCK')) return bedrock(environment);
  if (isOn('CLAUDE_CODE_USE_VERTEX')) return vertex(environment);
  if (isOn('CLAUDE_CODE_USE_FOUNDRY')) return foundry(environment);
  if (isFederated(environment)) return federation(environment);
  const access: ModelAccess = {
    baseUrl: environment.ANTHROPIC_BASE_URL || 'https://api.anthropic.com',
    apiKey: environment.ANTHROPIC_API_KEY || null,
    bearer: environment.ANTHROPIC_AUTH_TOKEN || environment.CLAUDE_CODE_OAUTH_TOKEN || null,
    headers: headersOf(environment.ANTHROPIC_CUSTOM_HEADERS ?? ''),
  };
  return { access, egress: [], files: {} };
}

/** @param home the fence's own, the same path inside and outside. */
export function fencedEnvironment(
  environment: Environment,
  place: ModelPlace,
  home: { home: string; temp: string },
): Environment {
  const inside: Environment = { ...environment };
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'])
    inside[name] = `http://127.0.0.1:${proxyPort}`;
  for (const name of ['ALL_PROXY', 'all_proxy', 'TEMP', 'TMP', 'IS_SANDBOX']) delete inside[name];
  for (const name of ['NO_PROXY', 'no_proxy']) inside[name] = 'localhost,127.0.0.1,::1';
  const java = ['http', 'https']
    .map((scheme) => `-D${scheme}.proxyHost=127.0.0.1 -D${scheme}.proxyPort=${proxyPort}`)
    .join(' ');
  for (const name of ['MAVEN_OPTS', 'GRADLE_OPTS']) inside[name] = java;
  Object.assign(inside, {
    NODE_USE_ENV_PROXY: '1',
    HOME: home.home,
    USER: 'claude',
    LOGNAME: 'claude',
    SHELL: '/bin/bash',
    TMPDIR: home.temp,
    CLAUDE_CONFIG_DIR: join(home.home, '.claude'),
  });
  // What the exchange gave is kept for all processes of the session, which could not use one identity token twice.
  if (isFederated(environment)) inside.ANTHROPIC_CONFIG_DIR = join(home.home, '.config/anthropic');
  if (!place.access) return { ...inside, ...place.files };
  for (const name of credentials) if (inside[name]) inside[name] = placeholder;
  delete inside.ANTHROPIC_CUSTOM_HEADERS;
  // Plain HTTP on the socket; the address is never connected to.
  inside.ANTHROPIC_BASE_URL = 'http://127.0.0.1:9';
  inside.ANTHROPIC_UNIX_SOCKET = `${socketDirectory}/model.sock`;
  return inside;
}

/** Claude Code takes a credential that does not expire before it exchanges an identity. */
function isFederated(environment: Environment): boolean {
  return Boolean(environment.ANTHROPIC_FEDERATION_RULE_ID) && !credentials.some((name) => environment[name]);
}

function headersOf(lines: string): Record<string, string> {
  const pairs = lines.split(/\r?\n/).map((line) => /^\s*([\w-]+)\s*:\s*(.*?)\s*$/.exec(line));
  return Object.fromEntries(pairs.flatMap((match) => (match ? [[match[1]!.toLowerCase(), match[2]!]] : [])));
}

function bedrock(environment: Environment): ModelPlace {
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1';
  const regions = [region, environment.ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION].filter(
    (name) => name !== undefined && name !== '',
  );
  const hosts = regions.flatMap((name) =>
    ['bedrock-runtime', 'bedrock', 'sts', 'oidc', 'portal.sso'].map(
      (service) => `${service}.${name}.amazonaws.com${name!.startsWith('cn-') ? '.cn' : ''}`,
    ),
  );
  return {
    access: null,
    egress: [...https([...hosts, 'sts.amazonaws.com']), ...placesOf(environment.ANTHROPIC_BEDROCK_BASE_URL)],
    files: filesOf(environment, {
      AWS_SHARED_CREDENTIALS_FILE: '.aws/credentials',
      AWS_CONFIG_FILE: '.aws/config',
      AWS_WEB_IDENTITY_TOKEN_FILE: null,
    }),
  };
}

function vertex(environment: Environment): ModelPlace {
  const regions = Object.entries(environment)
    .filter(([name]) => name === 'CLOUD_ML_REGION' || name.startsWith('VERTEX_REGION_'))
    .map(([, region]) => `${region}-aiplatform.googleapis.com`);
  const common = ['aiplatform', 'oauth2', 'sts', 'iamcredentials'].map((name) => `${name}.googleapis.com`);
  const files = filesOf(environment, {
    GOOGLE_APPLICATION_CREDENTIALS: '.config/gcloud/application_default_credentials.json',
  });
  return {
    access: null,
    egress: [
      ...https([...regions, ...common]),
      ...placesOf(environment.ANTHROPIC_VERTEX_BASE_URL),
      ...Object.values(files).flatMap(placesIn),
    ],
    files,
  };
}

function foundry(environment: Environment): ModelPlace {
  const resource = environment.ANTHROPIC_FOUNDRY_RESOURCE;
  const hosts = ['login.microsoftonline.com', ...(resource ? [`${resource}.services.ai.azure.com`] : [])];
  return {
    access: null,
    egress: [...https(hosts), ...placesOf(environment.ANTHROPIC_FOUNDRY_BASE_URL)],
    files: filesOf(environment, { AZURE_FEDERATED_TOKEN_FILE: null }),
  };
}

function https(hosts: string[]): string[] {
  return hosts.map((host) => `${host}:443`);
}

function placesOf(url: string | undefined): string[] {
  const parsed = url ? URL.parse(url) : null;
  return parsed ? [`${parsed.hostname}:${parsed.port || (parsed.protocol === 'http:' ? 80 : 443)}`] : [];
}

/** What a file of Google's workload identity names: where the job's own token is had, and what it is exchanged at. */
function placesIn(file: string): string[] {
  try {
    const given = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string | undefined> & {
      credential_source?: { url?: string };
    };
    const { token_url, service_account_impersonation_url, credential_source } = given;
    return [credential_source?.url, token_url, service_account_impersonation_url].flatMap(placesOf);
  } catch {
    return []; // a file that Claude Code will complain about
  }
}

/** The exchange is at the model's own address. */
function federation(environment: Environment): ModelPlace {
  return {
    access: null,
    egress: placesOf(environment.ANTHROPIC_BASE_URL || 'https://api.anthropic.com'),
    files: filesOf(environment, { ANTHROPIC_IDENTITY_TOKEN_FILE: null }),
  };
}

/** Those that are there: as the variable says, else where the provider's tools keep them in HOME. */
function filesOf(environment: Environment, wanted: Record<string, string | null>): Record<string, string> {
  const found = Object.entries(wanted).map(([name, usual]) => {
    const { [name]: given, HOME: home } = environment;
    return [name, given || (usual && home ? join(home, usual) : '')] as const;
  });
  return Object.fromEntries(found.filter(([, path]) => path && existsSync(path)));
}
