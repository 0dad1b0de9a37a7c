/** What a ledger rejects with when its store is down or unusable. Who asks decides what to refuse because of it. */
export class LedgerError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'LedgerError';
  }
}
