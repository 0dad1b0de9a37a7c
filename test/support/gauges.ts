/** What a running gateway says of itself on its admin listener. */

export interface Gauges {
  /** The value of a metric, with its labels as they are written; 0 where it is not there. */
  value(name: string): number;
  /** The sum of a metric over all labels. */
  sum(name: string): number;
}

export const scrape = async (adminUrl: string): Promise<Gauges> => {
  const text = await (await fetch(`${adminUrl}/metrics`, { headers: { connection: 'close' } })).text();
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+(?:\{.*\})?) (\S+)$/i.exec(line);
    if (match !== null) values.set(String(match[1]), Number(match[2]));
  }
  return {
    value: (name) => values.get(name) ?? 0,
    sum: (name) =>
      [...values]
        .filter(([key]) => key === name || key.startsWith(`${name}{`))
        .reduce((sum, [, value]) => sum + value, 0),
  };
};

/** What a gateway holds for others: its sockets, the events that wait, its timers and connections, by kind. */
export const holdings = async (adminUrl: string) => {
  const gauges = await scrape(adminUrl);
  return {
    sockets: gauges.value('gateway_sockets'),
    queued: gauges.value('gateway_events_queued'),
    timers: gauges.value('nodejs_active_resources{type="Timeout"}'),
    connections: gauges.value('nodejs_active_resources{type="TCPSocketWrap"}'),
  };
};
