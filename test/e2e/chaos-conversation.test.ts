import { chaos } from './chaos-run.ts';

chaos('conversation');
