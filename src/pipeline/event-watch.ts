/**
 * THE WATCH OVER RUNS: an agent that says that it is about to open what is another's is stopped. The upstream is told to
 * cancel the run, nothing more of it is shown but its end, and what it makes becomes nobody's.
 */
import type { EventRule, UpstreamEvent } from '../model/event.ts';
import type { Mode } from '../model/mode.ts';
import type { Owner } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import type { OwnershipRecord, ResourceRef } from '../model/resource.ts';
import type { Deliverable } from '../realtime/classify.ts';
import type { Condemned } from '../realtime/condemned.ts';
import type { Opens } from '../realtime/opens.ts';

/** `foreign-file-opened`: it named another's, or a path of the host. `run-unwatched`: not all of it could be looked at. */
type Cause = Extract<ReasonCode, 'foreign-file-opened' | 'run-unwatched'>;

/** What the audit is told of a run that was stopped, or would have been. */
export interface StoppedRun {
  readonly because: Cause;
  readonly event: string;
  readonly type: string;
  /** Whose run it is. */
  readonly owner: Owner;
  /** The run, and what of another's it named. */
  readonly resources: readonly ResourceRef[];
  readonly detail: string;
  /** In which the policy is for the owner. */
  readonly mode: Mode;
}

/** What the owner's clients are told. */
export interface StoppedNotice {
  readonly type: 'run-stopped';
  /** Of the resource that owns the events of the run. */
  readonly kind: string;
  readonly id: string;
  readonly code: Cause;
}

export interface WatchStages {
  readonly opens: Opens;
  readonly condemned: Condemned;
  /** An event without all that is not needed to know whose it is. */
  readonly bare: (event: UpstreamEvent, rule: EventRule) => UpstreamEvent;
  /** The ledger's own records, tombstones included. */
  readonly recordsOf: (refs: readonly ResourceRef[]) => Promise<ReadonlyArray<OwnershipRecord | undefined>>;
  /** Records what nobody has as nobody's for ever, so that no later run can be given it either. */
  readonly bury: (ref: ResourceRef) => Promise<unknown>;
  /** Asks the upstream to end a run, again as long as it is wanted. Never rejects. */
  readonly cancel: (target: string, wanted: () => boolean) => Promise<void>;
  /** Where it is not `enforce`, what would be done is only recorded. Undefined: the owner is not known. */
  readonly modeOf: (owner: Owner | undefined) => Mode;
  readonly stopped: (run: StoppedRun) => void;
  readonly tell: (owner: Owner, notice: StoppedNotice) => void;
}

/** An event whose owner is known. */
export interface Said {
  readonly event: UpstreamEvent;
  readonly what: Deliverable;
  readonly owner: Owner;
}

/** `fine`: goes its way. `withheld`: nobody hears it. `bare`: it ends a condemned run, and no more of it is heard. */
export type Sight = 'fine' | 'withheld' | 'bare';

export interface Watch {
  /** Reads an event in its order. Returns the names that the ledger must be asked about before anything is known. */
  look(said: Said): Sight | readonly ResourceRef[];
  /** Returns what the ledger says about the names that `look` returned; rejects when it cannot be read. */
  judge(said: Said, named: readonly ResourceRef[]): Promise<Sight>;
  /** An event is dropped, in its order, before all of it was judged. What it said may be the name of another's file. */
  missed(what: Deliverable): void;
  /** The same before those ahead of it were judged: what is still to come may not take it for the end of its run. */
  unheard(what: Deliverable): void;
  readonly bare: WatchStages['bare'];
  readonly bury: WatchStages['bury'];
}

/** Names and paths that the audit record tells. */
const MAX_TOLD = 10;
const MAX_TOLD_LENGTH = 256;

export const watch = (stages: WatchStages): Watch => {
  const { opens, condemned, recordsOf } = stages;
  const condemn = condemning(stages);
  const { over, shown } = standings(stages);

  return {
    look(said) {
      const { event, what } = said;
      const { opens: rule, endsRun } = what.typeRule;
      const standing = condemned.standing(what.owner);
      if (standing === 'suspected') condemn(said, UNHEARD);
      if (standing !== 'suspected' && standing !== 'condemned' && rule !== undefined) {
        const { refs, paths, unread } = opens.read(what.owner, rule, { type: what.type, payload: event.payload });
        if (paths.length > 0) condemn(said, { because: 'foreign-file-opened', refs: [], named: paths });
        else if (unread) condemn(said, UNREAD);
        else if (refs.length > 0) return refs;
      }
      if (endsRun) opens.ended(what.owner);
      return shown(said);
    },

    async judge(said, named) {
      const { what, owner } = said;
      const records = await recordsOf(named);
      const refs = named.filter((_, index) => isForeign(records[index], owner));
      const foreign = refs.map(({ kind, id }) => `${kind} ${id}`);
      if (refs.length > 0) condemn(said, { because: 'foreign-file-opened', refs, named: foreign });
      if (what.typeRule.endsRun) opens.ended(what.owner);
      return shown(said);
    },

    missed(what) {
      const { opens: rule, endsRun } = what.typeRule;
      if (endsRun) {
        opens.ended(what.owner);
        over(what, undefined);
      } else if (rule !== undefined) condemned.suspect(what.owner);
    },

    unheard({ owner, typeRule }) {
      if (typeRule.opens !== undefined) condemned.suspect(owner);
    },

    bare: stages.bare,
    bury: stages.bury,
  };
};

const standings = ({ condemned, modeOf }: Pick<WatchStages, 'condemned' | 'modeOf'>) => {
  const over = ({ owner: run }: Deliverable, owner: Owner | undefined): void => {
    // A policy that is not in effect has cancelled nothing, and must not cost a later run its pictures.
    if (modeOf(owner) === 'enforce') condemned.ended(run);
    else condemned.release(run);
  };

  return {
    over,
    /** What is shown of a run that is condemned, was, or is not. */
    shown({ what, owner }: Pick<Said, 'what' | 'owner'>): Sight {
      const standing = condemned.standing(what.owner);
      if (standing === undefined || (standing === 'ended' && what.learn.length === 0)) return 'fine';
      if (!what.typeRule.endsRun) return 'withheld';
      over(what, owner);
      return 'bare';
    },
  };
};

/** A tombstone's bytes are still at the upstream. What no ledger knows the model may have made up. */
const isForeign = (record: OwnershipRecord | undefined, owner: Owner): boolean =>
  record !== undefined && (record.owner !== owner || record.state === 'deleted');

interface Charge {
  readonly because: Cause;
  readonly refs: readonly ResourceRef[];
  readonly named: readonly string[];
}

const UNHEARD: Charge = { because: 'run-unwatched', refs: [], named: ['an event that there was no room for'] };
const UNREAD: Charge = { because: 'run-unwatched', refs: [], named: ['more than is looked at'] };

const condemning =
  ({ condemned, cancel, modeOf, stopped, tell }: WatchStages) =>
  ({ event, what, owner }: Said, { because, refs, named }: Charge): void => {
    const run = what.owner;
    condemned.condemn(run);
    const target = targetOf(what);
    const mode = modeOf(owner);
    if (mode === 'enforce') {
      // What is at its end is not asked to end: by then the request would meet the next run.
      if (target !== undefined && !what.typeRule.endsRun)
        void cancel(target, () => condemned.standing(run) === 'condemned');
      tell(owner, { type: 'run-stopped', kind: run.kind, id: run.id, code: because });
    }
    const resources = [run, ...refs.slice(0, MAX_TOLD)];
    const told = named.slice(0, MAX_TOLD).map((name) => name.slice(0, MAX_TOLD_LENGTH));
    stopped({ because, event: event.name, type: what.type, owner, resources, detail: told.join(', '), mode });
  };

const targetOf = ({ rule, owner }: Deliverable): string | undefined =>
  rule.cancel?.replace(`{${owner.kind}}`, () => encodeURIComponent(owner.id));
