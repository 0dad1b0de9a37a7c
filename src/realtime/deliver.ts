/** The last step of an event: what the owner may see of it, to the channel of that owner and to no other. */
import type { UpstreamEvent } from '../model/event.ts';
import type { Owner } from '../model/principal.ts';
import { relativeUrls } from '../model/relative-urls.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { Channels } from './channels.ts';
import type { Deliverable } from './classify.ts';
import { redact } from './redact.ts';

export interface DeliverOptions {
  readonly channels: Channels;
  /** All kinds of the policy; those that are served below a path get relative URLs. */
  readonly kinds: Iterable<ResourceKind>;
  /** Called for each event with the number of sockets to which it went. */
  readonly delivered?: (eventName: string, sockets: number) => void;
}

/** Returns a function that sends an event, changed in place, to its owner's sockets and returns their number. */
export const deliver = ({ channels, kinds, delivered }: DeliverOptions) => {
  const relative = relativeUrls([...kinds].flatMap((kind) => kind.url ?? []));
  return function deliverEvent(owner: Owner, event: UpstreamEvent, what: Deliverable): number {
    const shown = redact(event, what.typeRule.redact);
    if (what.rule.relativeUrls) relative(shown.payload);
    const sockets = channels.send(owner, shown, [what.owner, ...what.agree]);
    delivered?.(event.name, sockets);
    return sockets;
  };
};
