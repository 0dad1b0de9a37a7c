/**
 * A process of its own that claims in a SQLite ledger: `hold` claims one id and waits to be killed, `stream` claims one
 * after another and says which were acknowledged, `race` claims the same ids as its rivals when it is told to.
 */
import { once } from 'node:events';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';

const [mode = '', path = '', owner = '', count = '0'] = process.argv.slice(2);
const ledger = openSqliteLedger({ path, busyTimeoutMillis: 10_000 });

async function create(id: string): Promise<boolean> {
  const ref = { kind: 'canvas', id };
  const outcome = await ledger.claim([{ ref, parent: undefined, verb: 'create' }], owner, `request of ${owner}`);
  return outcome.claimed;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (mode === 'hold') {
  await create('held');
  say('held');
  setInterval(() => undefined, 1000);
} else if (mode === 'stream') {
  for (let index = 0; ; index += 1) {
    await create(`c${index}`);
    say(`c${index}`);
  }
} else {
  say('ready');
  await once(process.stdin, 'data');
  const ids = Array.from({ length: Number(count) }, (_, index) => `c${index}`);
  const won: string[] = [];
  // Some one by one, some in one transaction.
  for (const id of ids.slice(0, ids.length / 2)) if (await create(id)) won.push(id);
  const late = ids.slice(ids.length / 2);
  const outcomes = await Promise.all(late.map(create));
  won.push(...late.filter((_, index) => outcomes[index]));
  say(JSON.stringify(won));
  process.stdin.destroy();
  await ledger.close();
}
