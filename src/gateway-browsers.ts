/** The part of the composition that is for browsers alone: which pages may use the gateway, and what all of them are told. */
import type { Config } from './config/config.ts';
import { hiddenResponse, ownAnswer } from './filter/filter.ts';
import type { CanonicalRequest, RawRequest } from './model/request.ts';
import { type DecideOptions, decide } from './pipeline/decide.ts';
import { preflightLife } from './pipeline/preflight.ts';
import type { PreflightDoor } from './server/app.ts';
import { cors } from './server/cors.ts';
import type { Dress } from './server/respond.ts';
import { securityHeaders } from './server/security-headers.ts';

export interface BrowserDoor {
  readonly preflight: PreflightDoor;
  readonly dress: Dress;
}

export interface BrowserDoorOptions
  extends Pick<DecideOptions, 'claims' | 'runs' | 'shares' | 'limit' | 'audit' | 'report'> {
  readonly config: Pick<Config, 'listen'>;
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
}

/** Returns what the public listener is given for browsers. */
export const browserDoor = (options: BrowserDoorOptions): BrowserDoor => {
  const { config, canonical, limit } = options;
  const { asks, answer, dress } = cors(config.listen.origins);
  const secure = securityHeaders(config.listen);
  const live = preflightLife({ canonical, limit, answer, filtered: ownAnswer });
  return {
    preflight: { asks, live: decide({ ...options, live, hidden: hiddenResponse }) },
    dress(head, incoming, asItCame) {
      // Which origins are listed is no matter of the policy, and holds in every mode of it.
      dress(head, incoming);
      if (asItCame !== true) secure(head, incoming);
    },
  };
};
