import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventWindow } from '../../src/realtime/missed-window.ts';

test('a window holds what an array would, whatever comes and goes', () => {
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant('push') }, fc.constant('shift'), fc.nat(200)), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const window = eventWindow<{ readonly n: number }>();
      const model: Array<{ readonly n: number }> = [];
      for (const [n, step] of list.entries()) {
        if (step === 'push') {
          window.push({ n });
          model.push({ n });
        } else if (step === 'shift') expect(window.shift()).toEqual(model.shift());
        else expect(window.after(step)).toEqual(model.slice(step));
        expect([window.size, window.oldest]).toEqual([model.length, model[0]]);
      }
    }),
  );
});

test('a window does not hold what was taken out of it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const window = eventWindow<object>();
  const taken = [1, 2, 3].map((n) => {
    window.push({ n });
    return new WeakRef(window.shift() ?? {});
  });
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(taken.map((event) => event.deref())).toEqual([undefined, undefined, undefined]);
  expect([window.size, window.oldest, window.after(0)]).toEqual([0, undefined, []]);
});
