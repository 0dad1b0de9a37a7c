import { describe, expect, test } from 'vitest';
import { coverage } from '../../../src/cli/policy-tests/coverage.ts';
import type { Heard } from '../../../src/cli/rehearsal/hearing.ts';
import { jaazPolicy } from '../../support/policies.ts';

const cover = () => coverage({ policy: jaazPolicy(), places: new Map() });
const events = (one: ReturnType<typeof cover>) => one.shares().find(({ what }) => what === 'events');
const silence: Heard = { delivered: [], dropped: undefined, learned: [], ended: [] };

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
});
