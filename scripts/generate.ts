/** Writes what is derived from the settings: both `action.yml`, `.env.example`, and the tables of the pages. */
import { readFileSync, writeFileSync } from 'node:fs';
import { actionYml, baseActionYml } from './action-yml.ts';
import { configurationPage } from './configuration-page.ts';
import { envExample } from './env-example.ts';
import { baseReadme, inputsPage } from './inputs-page.ts';

writeFileSync('action.yml', actionYml());
writeFileSync('base-action/action.yml', baseActionYml());
writeFileSync('base-action/README.md', baseReadme(readFileSync('base-action/README.md', 'utf8')));
writeFileSync('docs/inputs.md', inputsPage());
writeFileSync('.env.example', envExample());
writeFileSync('docs/configuration.md', configurationPage());
