/** Writes what is derived from the settings: `action.yml`, `.env.example`, and the tables in `docs/`. */
import { writeFileSync } from 'node:fs';
import { actionYml } from './action-yml.ts';
import { configurationPage } from './configuration-page.ts';
import { envExample } from './env-example.ts';
import { inputsPage } from './inputs-page.ts';

writeFileSync('action.yml', actionYml());
writeFileSync('docs/inputs.md', inputsPage());
writeFileSync('.env.example', envExample());
writeFileSync('docs/configuration.md', configurationPage());
