import { describe, expect, test } from 'vitest';
import { changeFault, isOwner, issuerFault, parseOwnerMap } from '../../src/cli/owner-map.ts';

test.each(['corp|alice', 'a-1|x', 'corp|a|b', 'corp|a, "b"', 'corp|Zoë 愛', `corp|${'x'.repeat(255)}`])(
  '%j is an owner',
  (text) => {
    expect(isOwner(text)).toBe(true);
  },
);

test.each([
  ...['', 'alice', '|alice', 'corp|', 'Corp|alice', 'co rp|alice', `${'c'.repeat(33)}|a`, `corp|${'x'.repeat(256)}`],
  ...['corp|a\nb', 'corp|a\u2028b', 'corp|\ud800', 'corp|a\u0000'],
])('%j is none', (text) => expect(isOwner(text)).toBe(false));

test('a change is from one owner to another', () => {
  expect(changeFault({ from: 'a|x', to: 'b|x' })).toBeUndefined();
  expect(changeFault({ from: 'x', to: 'b|x' })).toContain('"x" is no owner');
  expect(changeFault({ from: 'a|x', to: 'y' })).toContain('"y" is no owner');
  expect(changeFault({ from: 'a|x', to: 'a|x' })).toContain('is called so already');
});

test('an issuer is called by its alias, and service accounts have none', () => {
  expect(issuerFault({ from: 'a', to: 'b-2' })).toBeUndefined();
  expect(issuerFault({ from: 'a', to: 'a' })).toContain('is called so already');
  for (const alias of ['A', 'a|', '', 'service']) {
    expect(issuerFault({ from: 'a', to: alias })).toBeDefined();
    expect(issuerFault({ from: alias, to: 'a' })).toBeDefined();
  }
});

describe('a map', () => {
  const changes = (text: string) => parseOwnerMap(text).changes.map(({ from, to }) => `${from} -> ${to}`);

  test('has a change a line', () => {
    expect(changes('a|x,b|x\na|y,b|y\r\n\n  \na|z , b|z\n')).toEqual(['a|x -> b|x', 'a|y -> b|y', 'a|z -> b|z']);
    expect(changes('\uFEFFold,new\na|x,b|x')).toEqual(['a|x -> b|x']);
    expect(changes('Old , New\r\na|x,b|x')).toEqual(['a|x -> b|x']);
  });

  test('quotes what holds commas, quotes or spaces at its ends', () => {
    expect(changes('"a|x, y","b|say ""hi"""')).toEqual(['a|x, y -> b|say "hi"']);
    expect(changes('"a| x",b|x')).toEqual(['a| x -> b|x']);
  });

  test('tells every fault by its line, and says nothing of what is right', () => {
    const { faults } = parseOwnerMap(
      'a|x,b|x\nx,b|x\na|y\na|z,b|z,c|z\na|x,b|w\n"a|q,b|q\na|r,"b|r"x\na|s,a|s\nold,new',
    );
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'line 2',
      'line 3',
      'line 4',
      'line 5',
      'line 6',
      'line 7',
      'line 8',
      'line 9',
    ]);
    expect(faults[3]).toBe('line 5: "a|x" is there twice');
  });
});
