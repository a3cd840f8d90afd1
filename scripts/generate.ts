/** Writes what is derived from the settings: `action.yml` and the table of inputs in `docs/inputs.md`. */
import { writeFileSync } from 'node:fs';
import { actionYml } from './action-yml.ts';
import { inputsPage } from './inputs-page.ts';

writeFileSync('action.yml', actionYml());
writeFileSync('docs/inputs.md', inputsPage());
