/**
 * Rounds: one sample of everyone, again and again.
 *
 * When to reach for it: every benchmark that compares takes its samples through it.
 * What it is not: a sample. How one is taken is the benchmark's own business.
 *
 * The order is rotated from round to round, so that a slow minute of the machine meets all of them alike.
 */

const rotated = <A>(all: ReadonlyArray<A>, by: number): ReadonlyArray<A> => {
  const at = by % all.length
  return [...all.slice(at), ...all.slice(0, at)]
}

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/** Takes samples of everyone, one at a time. Stops at the first that throws. */
export const take = async <P extends { readonly name: string }, S>(
  title: string,
  peers: ReadonlyArray<P>,
  rounds: number,
  sample: (peer: P, round: number) => Promise<S>
): Promise<Array<S>> => {
  const samples: Array<S> = []
  for (let round = 0; round < rounds; round++) {
    for (const peer of rotated(peers, round)) {
      progress(`${title}: round ${round + 1} of ${rounds}, ${peer.name}`)
      samples.push(await sample(peer, round))
    }
  }
  progress("")
  return samples
}
