/** The parts of one stand-in that its routes and its agent share. */
import type { Settings } from './settings.ts';
import type { Store } from './store.ts';
import type { Confirmations, Tasks } from './tasks.ts';

export interface World {
  readonly dataDir: string;
  readonly filesDir: string;
  readonly store: Store;
  readonly settings: Settings;
  readonly tasks: Tasks;
  readonly confirmations: Confirmations;
  readonly stepMillis: number;
  /** How many more steps every run has than the typical one. */
  readonly agentSteps: number;
  /** The port in generated `http://localhost:…` addresses. */
  defaultPort(): number;
  broadcast(event: string, payload: unknown): void;
}
