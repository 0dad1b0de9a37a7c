/** An agent that says what it is about to open, and the life of its run's events. */
import { describe, expect, test } from 'vitest';
import type { EventFate } from '../../src/pipeline/event.ts';
import { classify } from '../../src/realtime/classify.ts';
import {
  agentUpdate,
  argument,
  BOBS,
  done,
  idle,
  line,
  lived,
  opening,
  watchedOwners as owned,
  picture,
  text,
  watched,
} from '../support/event-line.ts';

describe('a run whose agent is about to open another’s file', () => {
  test('is cancelled, nothing more of it is heard, and what it makes is nobody’s', async () => {
    const found = await lived(watched({ owned }), text('s1', 'before'), opening(BOBS), picture(), text('s1', 'after'));
    expect(found.log).toEqual(['demo|alice: before', 'drop run-condemned', 'drop run-condemned', 'drop run-condemned']);
    expect(found.cancelled.map(({ target }) => target)).toEqual(['/api/cancel/s1']);
    expect([found.ledger.has('file:stolencopy.png'), found.buried]).toEqual([false, ['file:stolencopy.png']]);
  });

  test('is recorded, and its owner is told', async () => {
    const { stops, notices } = await lived(watched({ owned }), opening(BOBS));
    expect(stops).toEqual([
      {
        because: 'foreign-file-opened',
        event: 'session_update',
        type: 'tool_call_arguments',
        owner: 'demo|alice',
        resources: [
          { kind: 'session', id: 's1' },
          { kind: 'file', id: BOBS },
        ],
        detail: `file ${BOBS}`,
        mode: 'enforce',
      },
    ]);
    expect(notices).toEqual([
      { owner: 'demo|alice', type: 'run-stopped', kind: 'session', id: 's1', code: 'foreign-file-opened' },
    ]);
  });

  test('is stopped once, however often it names it', async () => {
    const { stops, cancelled } = await lived(watched({ owned }), opening(BOBS), opening(BOBS), opening('/etc/x.png'));
    expect([stops.length, cancelled.length]).toEqual([1, 1]);
  });

  test('ends for its owner all the same, with nothing but that, and its slot is free', async () => {
    const { log, delivered } = await lived(watched({ owned }), opening(BOBS), done());
    expect(log).toEqual(['drop run-condemned', 'ended s1', 'demo|alice: done']);
    expect(delivered.at(-1)?.payload).toEqual({ session_id: 's1', canvas_id: null, type: 'done' });
  });

  test('is wanted to be cancelled until its end was heard', async () => {
    const found = await lived(watched({ owned }), opening(BOBS));
    const [{ wanted } = { wanted: () => undefined }] = found.cancelled;
    expect(wanted()).toBe(true);
    await lived(found, done());
    expect(wanted()).toBe(false);
  });

  test('does not keep the next run of its session from being heard, but from making anything for a while', async () => {
    const found = watched({ owned });
    await lived(
      found,
      opening(BOBS),
      done(),
      done(),
      text('s1', 'next'),
      picture('straggler1.png'),
      text('s1', 'last'),
    );
    expect(found.log.slice(-3)).toEqual(['demo|alice: next', 'drop run-condemned', 'demo|alice: last']);
    expect(found.buried).toEqual(['file:straggler1.png']);
    found.condemned.release({ kind: 'session', id: 's1' });
    await lived(found, picture('permitted1.png'));
    expect(found.log.slice(-2)).toEqual(['learn file:permitted1.png below session:s1', 'demo|alice: picture']);
  });

  test('is stopped again when the next one of its session does it too', async () => {
    const { stops } = await lived(watched({ owned }), opening(BOBS), done(), opening(BOBS));
    expect(stops).toHaveLength(2);
  });

  test('has no effect on another session of its owner', async () => {
    const found = await lived(watched({ owned }), opening(BOBS), text('s2', 'other'), picture('otherfile1.png', 's2'));
    expect(found.log.filter((row) => !row.startsWith('drop'))).toEqual([
      'demo|alice: other',
      'learn file:otherfile1.png below session:s2',
      'demo|alice: picture',
    ]);
    expect(found.log.filter((row) => row.startsWith('drop'))).toEqual(['drop run-condemned']);
  });

  test.each([
    ['in one event', [JSON.stringify({ input_images: [BOBS] })]],
    ['in single characters', [...JSON.stringify({ input_images: [`/api/file/${BOBS}`] })]],
    ['with escapes', ['{"input_images":["\\u0069m_bobs', 'file.p', 'ng"]}']],
  ])('is stopped for a name that comes %s', async (_, pieces) => {
    const { stops } = await lived(watched({ owned }), ...pieces.map((piece) => argument('s1', piece)));
    expect(stops.map(({ because }) => because)).toEqual(['foreign-file-opened']);
  });

  test('is stopped for a tombstone, the owner’s own too', async () => {
    const found = watched({ owned, deleted: ['file:im_alicefil.png'] });
    const { stops } = await lived(found, opening('im_alicefil.png'));
    expect(stops).toMatchObject([{ resources: [{}, { kind: 'file', id: 'im_alicefil.png' }] }]);
  });

  test('is stopped for a path of the host, of which the record tells a part', async () => {
    const { stops, asked } = await lived(watched({ owned }), opening(`/etc/${'x'.repeat(1_000)}.png`));
    expect(stops).toMatchObject([{ because: 'foreign-file-opened', resources: [{ kind: 'session', id: 's1' }] }]);
    expect([stops[0]?.detail.length, asked]).toEqual([256, []]);
  });
});

describe('a run goes on', () => {
  test.each([
    ['its owner’s file', 'im_alicefil.png'],
    ['a file that nobody knows', 'im_inventd.png'],
    ['no file at all', 'a cat'],
  ])('whose agent is about to open %s', async (_, name) => {
    const found = await lived(watched({ owned }), opening(name), picture(), done());
    expect(found.log.filter((row) => row.startsWith('drop'))).toEqual([]);
    expect([found.stops, found.cancelled, found.buried]).toEqual([[], [], []]);
  });

  test('where prose names another’s file, for that is no call', async () => {
    const { stops } = await lived(watched({ owned }), text('s1', `see ${BOBS} and /etc/x.png`));
    expect(stops).toEqual([]);
  });
});

describe('the events of a watched run', () => {
  test('are delivered in the same turn when nothing is named', () => {
    const { life, log } = watched({ owned });
    life(argument('s1', '{"prompt":"a cat"}'));
    life(done());
    expect(log).toEqual(['demo|alice: {"prompt":"a cat"}', 'ended s1', 'demo|alice: the end']);
  });

  test('wait while the ledger is asked, and keep their order', async () => {
    const found = watched({ owned });
    found.life(opening('im_alicefil.png'));
    found.life(text('s1', 'after'));
    expect(found.log).toEqual([]);
    await idle(found.held);
    expect(found.log).toEqual(['demo|alice: {"input_images":["im_alicefil.png"]}', 'demo|alice: after']);
    expect(found.asked.filter(({ id }) => id === 'im_alicefil.png')).toHaveLength(1);
  });

  test('are one text to the end, whichever run of their session ends meanwhile', async () => {
    const [begins, ends] = [BOBS.slice(0, 5), BOBS.slice(5)];
    const { stops } = await lived(watched({ owned }), argument('s1', begins), done(), argument('s1', ends));
    expect(stops.map(({ because }) => because)).toEqual(['foreign-file-opened']);
  });

  test('are dropped where what is opened is said and nothing watches', () => {
    const { life, log } = line({ owned, classify: classify(new Map([['session_update', agentUpdate]])) });
    life(argument('s1', 'x'));
    life(text('s1', 'y'));
    expect(log).toEqual(['drop unwatched', 'demo|alice: y']);
  });

  test('leave one fate each behind for those that the policy is not in effect for', async () => {
    const fates: EventFate[] = [];
    const overhearing = { hear: () => true, judged: (fate: EventFate) => void fates.push(fate) };
    await lived(watched({ owned, overhearing }), opening('im_alicefil.png'), opening(BOBS), picture(), done());
    expect(fates.map(({ type, owner, because }) => [type, owner, because])).toEqual([
      ['tool_call_arguments', 'demo|alice', undefined],
      ['tool_call_arguments', undefined, 'run-condemned'],
      ['image_generated', undefined, 'run-condemned'],
      ['done', 'demo|alice', undefined],
    ]);
  });
});

describe('where the policy is not in effect', () => {
  const stages = { modeOf: () => 'shadow' as const };

  test('a run is recorded and withheld, but neither cancelled nor is its owner told', async () => {
    const { stops, cancelled, notices, log } = await lived(watched({ owned, stages }), opening(BOBS), picture());
    expect([stops.length, cancelled, notices]).toEqual([1, [], []]);
    expect(log).toEqual(['drop run-condemned', 'drop run-condemned']);
  });

  test('it is recorded in which mode, and another owner’s run is cancelled all the same', async () => {
    const modeOf = (owner: string | undefined) => (owner === 'demo|alice' ? 'off' : 'enforce');
    const others = { ...owned, 'session:s3': 'demo|carol' };
    const { stops, cancelled } = await lived(
      watched({ owned: others, stages: { modeOf } }),
      opening(BOBS),
      opening(BOBS, 's3'),
    );
    expect(stops.map(({ owner, mode }) => [owner, mode])).toEqual([
      ['demo|alice', 'off'],
      ['demo|carol', 'enforce'],
    ]);
    expect(cancelled.map(({ target }) => target)).toEqual(['/api/cancel/s3']);
  });

  test('the next run makes what it makes', async () => {
    const { log } = await lived(watched({ owned, stages }), opening(BOBS), done(), picture());
    expect(log.slice(-2)).toEqual(['learn file:stolencopy.png below session:s1', 'demo|alice: picture']);
  });
});

test('a ledger that fails is asked again about what is named, and about what is to be nobody’s', async () => {
  const found = watched({ owned });
  let failures = 2;
  const failing = watched({
    owned,
    stages: {
      async bury(ref) {
        failures -= 1;
        if (failures >= 0) throw new Error('ledger down');
        found.buried.push(ref.id);
      },
    },
  });
  await lived(failing, opening(BOBS), picture());
  expect([found.buried, failures]).toEqual([['stolencopy.png'], -1]);
});

test('without a place to cancel at, a run is withheld all the same', async () => {
  const rule = { ...agentUpdate, cancel: undefined };
  const found = watched({ owned, classify: classify(new Map([['session_update', rule]])) });
  await lived(found, opening(BOBS), picture());
  expect([found.cancelled, found.stops.length, found.log]).toEqual([
    [],
    1,
    ['drop run-condemned', 'drop run-condemned'],
  ]);
});

test('the id is one segment of the place to cancel at', async () => {
  const found = watched({ owned: { ...owned, 'session:-_A9': 'demo|alice' } });
  await lived(found, opening(BOBS, '-_A9'));
  expect(found.cancelled.map(({ target }) => target)).toEqual(['/api/cancel/-_A9']);
});
