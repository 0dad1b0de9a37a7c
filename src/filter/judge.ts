/**
 * What a filter would make of an answer that passes as it came: the real rules, run on a copy. Nothing is changed but one
 * thing: ids that the server made in it are learned, because they were nobody's before.
 */
import type { Evidence } from '../model/evidence.ts';
import { valuesAt } from '../model/field-path.ts';
import type { Finding } from '../model/finding.ts';
import type { GrantInShadow } from '../model/grant.ts';
import type { FieldPath, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { BodySource, UpstreamAnswer } from '../model/response.ts';
import type { AnswerRule, RouteMatch } from '../model/route.ts';
import { countRows } from './count-rows.ts';
import { isJson, parseAnswer, readAnswer, writeAnswer } from './json.ts';
import { type LearnId, learnFrom } from './learned.ts';
import { keepOwn, type OwnersOf } from './list.ts';
import { relativeBody } from './relative.ts';

export interface JudgeOptions {
  readonly ownersOf: OwnersOf;
  readonly learn: LearnId;
}

interface Case {
  /** Its body is the copy. */
  readonly answer: UpstreamAnswer;
  readonly grant: GrantInShadow;
  readonly match: RouteMatch;
}

/** Resolves when all is in the Grant's evidence, or rejects with what the answer would have been refused for. */
export const judgeAnswer = async (options: JudgeOptions, judged: Case): Promise<void> => {
  const { answer, grant, match } = judged;
  const { fixed, answer: rule } = match.route;
  const { evidence } = grant.shadow;
  // The upstream would not have been asked at all.
  if (fixed !== undefined) return note(evidence, CHANGED);
  if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
    throw new Rejection('answer-unreadable', `the upstream redirects (${answer.status})`);
  }
  if (rule.kind === 'stream') {
    if (rule.relative.length > 0 && (await becomesShorter(answer.body, rule.relative))) note(evidence, CHANGED);
    return;
  }
  // Conditions and ranges would not have reached the upstream, so it would have given the whole.
  if (answer.status === 304 || answer.status === 206) return;
  if (answer.status >= 400) return note(evidence, CHANGED);
  if (answer.status !== 200) throw new Rejection('answer-unreadable', `200 was expected, found ${answer.status}`);
  if (!isJson(answer)) throw new Rejection('answer-unreadable', 'the answer is not application/json');
  if (rule.kind === 'json') return judgeJson(options, rule, judged);
  const { own, of } = await countRows(answer.body, { ...rule, owner: grant.owner ?? '', ownersOf: options.ownersOf });
  noteRemoved(evidence, rule.resource.name, { own, of });
};

const CHANGED: Finding = { would: 'change', what: 'answer' };

const note = ({ findings }: Evidence, finding: Finding): void => void findings.push(finding);

const noteRemoved = (evidence: Evidence, kind: string, { own, of }: { own: number; of: number }): void => {
  if (own < of) note(evidence, { would: 'remove', kind, removed: of - own, of });
};

const judgeJson = async (
  { ownersOf, learn }: JudgeOptions,
  rule: Extract<AnswerRule, { kind: 'json' }>,
  { answer, grant }: Case,
): Promise<void> => {
  const { owner, principal, shadow } = grant;
  let value = parseAnswer(await readAnswer(answer, rule.maxBytes));
  if (owner !== undefined) {
    for (const keep of rule.keep) {
      const of = entriesAt(value, keep.list);
      await keepOwn(value, keep, { owner, ownersOf });
      noteRemoved(shadow.evidence, keep.resource.name, { own: entriesAt(value, keep.list), of });
    }
    await learnFrom(value, rule.learn, { learn, owner });
  }
  if (rule.operations.length === 0) return;
  const before = writeAnswer(value);
  for (const operation of rule.operations) value = operation(value, owner, principal);
  if (!writeAnswer(value).equals(before)) note(shadow.evidence, CHANGED);
};

/** Of lists and of mappings. */
const entriesAt = (value: JsonValue, place: FieldPath): number =>
  valuesAt(value, place).reduce<number>(
    (sum, holder) => sum + (typeof holder === 'object' && holder !== null ? Object.keys(holder).length : 0),
    0,
  );

/** Relative URLs are what is left of absolute ones: shorter is changed. */
const becomesShorter = (body: BodySource, relative: readonly string[]): Promise<boolean> =>
  new Promise((resolve, reject) => {
    let given = 0;
    let left = 0;
    const counted: BodySource = {
      whole: () => undefined,
      pipe: (sink) =>
        body.pipe({
          ...sink,
          write(chunk) {
            given += chunk.length;
            return sink.write(chunk);
          },
        }),
      resume: () => body.resume(),
      abort: () => body.abort(),
    };
    relativeBody(counted, relative).pipe({
      write(chunk) {
        left += chunk.length;
        return true;
      },
      end: () => resolve(left < given),
      fail: reject,
    });
  });
