/** Waits for a condition, never for a time. */

/** Resolves when `holds` first returns true; rejects when it has not within `withinMillis`. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMillis = 10_000): Promise<void> {
  const end = performance.now() + withinMillis;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`did not come true within ${withinMillis} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
