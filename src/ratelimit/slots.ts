/** The port behind "how many at once": a bounded set of members for a key, each of which leaves or times out. */
export interface SlotRequest {
  readonly key: string;
  readonly member: string;
  readonly max: number;
  readonly timeoutMillis: number;
}

export interface Slots {
  /** Returns whether the member has a slot now. A member that already has one keeps it. A refusal changes nothing. */
  acquire(request: SlotRequest): boolean | Promise<boolean>;
  /** Idempotent. */
  release(key: string, member: string): void | Promise<void>;
}
