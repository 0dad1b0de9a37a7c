/** What shadow mode found, in a few words. */
import type { Finding } from '../model/finding.ts';
import { resourceKey } from '../model/resource.ts';

/** Returns such as `deny resource-hidden`. */
export const findingWords = (finding: Finding): string => {
  switch (finding.would) {
    case 'deny':
      return `deny ${finding.reason}`;
    case 'claim':
      return `claim ${finding.resources.map(resourceKey).join(' ')}`;
    case 'change':
      return `change ${finding.what}`;
    case 'remove':
      return `remove ${finding.removed} of ${finding.of} ${finding.kind}`;
    case 'withhold':
      return `withhold ${finding.event}`;
  }
};
