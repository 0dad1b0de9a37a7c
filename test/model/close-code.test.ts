import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closingFor, passedOn } from '../../src/model/close-code.ts';
import { type ReasonCode, reasons } from '../../src/model/reason.ts';

const NONE = Buffer.alloc(0);
const NEVER_SENT = [1004, 1005, 1006, 1015];

describe('a refusal closes a connection', () => {
  test.each([
    ['authority-expired', 4401, 'authority-expired'],
    ['token-revoked', 4401, 'token-revoked'],
    ['receiver-slow', 4408, 'receiver-slow'],
    ['rate-limited', 4429, 'rate-limited'],
    ['packet-invalid', 4400, 'packet-invalid'],
    ['body-too-large', 1009, 'body-too-large'],
    ['body-type', 1003, 'body-type'],
    ['shutting-down', 1012, 'shutting-down'],
    ['upstream-broken', 4502, 'upstream-broken'],
    // Which it is, is another's affair.
    ['resource-quarantined', 4409, 'resource-taken'],
  ] as const)('for %s with %i', (reason, code, told) => {
    expect(closingFor(reason)).toEqual({ code, reason: told });
  });

  test('with a code and a reason that a closing frame may hold, whatever it is', () => {
    // Only a page is sent elsewhere: no socket is refused with a redirect.
    for (const reason of (Object.keys(reasons) as ReasonCode[]).filter((each) => reasons[each].status >= 400)) {
      const { code = 0, reason: told } = closingFor(reason);
      expect([1003, 1009, 1012].includes(code) || (code >= 4400 && code < 4600), reason).toBe(true);
      expect(Buffer.byteLength(told), reason).toBeLessThanOrEqual(123);
    }
  });
});

describe('what the other side closed with', () => {
  test.each([1000, 1001, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4401, 4999])(
    '%i is passed on, with its words',
    (code) => {
      expect(passedOn(code, Buffer.from('bye'))).toEqual({ code, reason: 'bye' });
    },
  );

  test.each([1002, 1010, 1015, 1016, 2999, 5000])('%i is not, nor are its words', (code) => {
    expect(passedOn(code, Buffer.from('bye'))).toEqual({ code: 1011, reason: '' });
  });

  test('without a code is passed on without one; without a frame it is left to whoever knows what that means', () => {
    expect(passedOn(1005, NONE)).toEqual({ code: undefined, reason: '' });
    expect(passedOn(1006, NONE)).toBeUndefined();
  });

  test('never comes to a code that must not be sent, nor to words that do not fit', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(65_535), fc.integer({ min: 999, max: 5_000 })),
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        (code, bytes) => {
          const closing = passedOn(code, Buffer.from(bytes));
          if (closing?.code === undefined) return;
          expect(NEVER_SENT).not.toContain(closing.code);
          expect(closing.code >= 1000 && closing.code <= 4999).toBe(true);
          expect(closing.reason === '' || bytes.length <= 123).toBe(true);
        },
      ),
    );
  });
});
