import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of this process, in Prometheus' text format at /metrics. */
export const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

interface Description {
  readonly name: `assent_${string}`;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** The counter of this name; made at first use, so that several services can share one process. */
export const counter = (d: Description): Counter =>
  (metrics.getSingleMetric(d.name) as Counter | undefined) ??
  new Counter({ ...d, labelNames: [...(d.labelNames ?? [])], registers: [metrics] });

/** The gauge of this name; made at first use. */
export const gauge = (d: Description): Gauge =>
  (metrics.getSingleMetric(d.name) as Gauge | undefined) ??
  new Gauge({ ...d, labelNames: [...(d.labelNames ?? [])], registers: [metrics] });

/** The histogram of this name, in seconds; made at first use. */
export const histogram = (d: Description & { readonly buckets: readonly number[] }): Histogram =>
  (metrics.getSingleMetric(d.name) as Histogram | undefined) ??
  new Histogram({ ...d, labelNames: [...(d.labelNames ?? [])], buckets: [...d.buckets], registers: [metrics] });
