import { describe, expect, test } from 'vitest';
import { coverage } from '../../../src/cli/policy-tests/coverage.ts';
import type { Heard } from '../../../src/cli/rehearsal/hearing.ts';
import { jaazPolicy } from '../../support/policies.ts';

const cover = () => coverage({ policy: jaazPolicy(), places: new Map() });
const events = (one: ReturnType<typeof cover>) => one.shares().find(({ what }) => what === 'events');
const silence: Heard = {
  delivered: [],
  dropped: undefined,
  learned: [],
  ended: [],
  pending: [],
  settled: [],
  stopped: undefined,
  cancelled: [],
};

describe('the coverage of events', () => {
  test('begins with nothing', () => {
    expect(events(cover())).toMatchObject({ seen: 0 });
  });

  test('wants each type to be heard by somebody', () => {
    const one = cover();
    const payload = { session_id: 's', type: 'delta' };
    one.witness.sawEvent({ name: 'session_update', payload }, silence);
    expect(events(one)?.missing).toContain('session_update: delta');
    one.witness.sawEvent({ name: 'session_update', payload }, { ...silence, delivered: [{ owner: 'a', payload }] });
    expect(events(one)?.missing).not.toContain('session_update: delta');
  });

  test('wants to see what else a rule does', () => {
    const one = cover();
    const made = { session_id: 's', type: 'image_generated', image_url: 'http://localhost/api/file/im_12345678.png' };
    const delivered = [{ owner: 'a', payload: { ...made, image_url: '/api/file/im_12345678.png' } }];
    one.witness.sawEvent(
      { name: 'session_update', payload: made },
      { ...silence, delivered, learned: [{ kind: 'file', id: 'x' }] },
    );
    one.witness.sawEvent(
      { name: 'session_update', payload: { type: 'done' } },
      { ...silence, ended: [{ kind: 'session', id: 's' }] },
    );
    one.witness.sawEvent(
      { name: 'session_update', payload: { type: 'delta' } },
      { ...silence, dropped: 'event-disagrees' },
    );
    const missing = events(one)?.missing ?? [];
    for (const word of ['image_generated learn', 'done ends-run', 'agree', 'relative']) {
      expect(missing).not.toContain(`session_update: ${word}`);
    }
    expect(missing).toContain('session_update: error ends-run');
  });

  test('wants to see calls that wait, and that wait no longer', () => {
    const one = cover();
    const asked = { session_id: 's', type: 'tool_call_pending_confirmation', id: 'c' };
    const told = { session_id: 's', type: 'tool_call_confirmed', id: 'c' };
    const words = ['tool_call_pending_confirmation pending', 'tool_call_confirmed settled'];
    const missing = () => words.filter((word) => events(one)?.missing.includes(`session_update: ${word}`));
    one.witness.sawEvent({ name: 'session_update', payload: asked }, { ...silence, settled: ['c'] });
    one.witness.sawEvent({ name: 'session_update', payload: told }, { ...silence, pending: ['c'] });
    expect(missing()).toEqual(words);
    one.witness.sawEvent({ name: 'session_update', payload: asked }, { ...silence, pending: ['c'] });
    one.witness.sawEvent({ name: 'session_update', payload: told }, { ...silence, settled: ['c'] });
    expect(missing()).toEqual([]);
  });

  test('wants to see a run that is stopped for what each type says, and asked to end', () => {
    const one = cover();
    const words = ['tool_call opens', 'tool_call_arguments opens', 'cancel'];
    const missing = () => words.filter((word) => events(one)?.missing.includes(`session_update: ${word}`));
    const hear = (type: string, heard: Partial<Heard>) =>
      one.witness.sawEvent({ name: 'session_update', payload: { session_id: 's', type } }, { ...silence, ...heard });
    hear('tool_call', { delivered: [{ owner: 'a', payload: {} }] });
    expect(missing()).toEqual(words);
    hear('tool_call', { stopped: 'foreign-file-opened' });
    expect(missing()).toEqual(words.slice(1));
    hear('tool_call_arguments', { stopped: 'run-unwatched', cancelled: ['POST /x'] });
    expect(missing()).toEqual([]);
  });

  test('wants to see what is hidden', () => {
    const one = coverage({
      policy: jaazPolicy(['          delta: {}', '          delta: { redact: [text] }']),
      places: new Map(),
    });
    const payload = { session_id: 's', type: 'delta', text: 'secret' };
    const heard = (text: string) => ({ ...silence, delivered: [{ owner: 'a', payload: { ...payload, text } }] });
    const isMissing = () => events(one)?.missing.includes('session_update: delta redact');
    one.witness.sawEvent({ name: 'session_update', payload }, heard('secret'));
    expect(isMissing()).toBe(true);
    one.witness.sawEvent({ name: 'session_update', payload }, heard('[redacted]'));
    expect(isMissing()).toBe(false);
  });
});
