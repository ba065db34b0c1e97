/**
 * The program that measures: one peer, one case, one line of JSON.
 *
 * When to reach for it: `Sample.ts` starts it as `worker.ts <job>` in a Node with `--expose-gc`.
 * What it is not: a framework of benchmarks. It warms up, collects garbage, does the work once and divides.
 */
import * as Arguments from "../harness/Arguments.ts"
import type { Parking, Peer, Work } from "./Peer.ts"
import type { Cost, Job, Times } from "./Sample.ts"
import type { Case } from "./Scenario.ts"
import { scenarios } from "./scenarios.ts"

const collect = (): void => {
  if (globalThis.gc === undefined) throw new Error("start it with --expose-gc")
  globalThis.gc()
}

/** Runs it and says what each of its operations cost. */
const measure = async (name: string, operations: number, work: () => Promise<unknown>): Promise<Cost> => {
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  await work()
  const wall = performance.now() - before
  const { system, user } = process.cpuUsage(cpuBefore)
  return { case: name, operations, cpu: (user + system) * 1000 / operations, wall: wall * 1e6 / operations }
}

const proven = async (work: Work, operations: number): Promise<void> => {
  const count = await work(operations)
  if (count !== operations) throw new Error(`${count} of ${operations} operations were done right`)
}

/** Works in ever larger pieces for the time of the warm-up, then as much as takes the time of a sample. */
const measureWork = async (work: Work, { name, operations: step }: Case, times: Times): Promise<Cost> => {
  const end = performance.now() + times.warmup * 1000
  let operations = step
  let took = 0
  while (took < 100 || performance.now() < end) {
    const before = performance.now()
    await proven(work, operations)
    took = performance.now() - before
    if (took < 100) operations *= 2
  }
  const measured = Math.ceil(operations * times.duration * 1000 / took / step) * step
  collect()
  return measure(name, measured, () => proven(work, measured))
}

const killed = 1000

const rehearse = async (parking: Parking): Promise<void> => {
  await parking.park(2 * killed)
  await parking.killNewest(killed)
  await parking.cancelAll()
}

const memory = (): { readonly resident: number; readonly heap: number } => {
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  return { resident: rss, heap: heapUsed }
}

/** Parks tasks and ends them again, after the code has been warmed up by a few of them. */
const measureParking = async (make: () => Parking, tasks: number): Promise<ReadonlyArray<Cost>> => {
  for (let i = 0; i < 10; i++) await rehearse(make())
  const parking = make()
  const before = memory()
  const park = await measure("park", tasks, () => parking.park(tasks))
  const after = memory()
  // Twice: the first ones take longer after a collection, and a scavenge of what was parked may fall into either.
  const first = await measure("kill-newest-first", killed, () => parking.killNewest(killed))
  const kill = await measure("kill-newest", killed, () => parking.killNewest(killed))
  const cancel = await measure("cancel-all", tasks - 2 * killed, parking.cancelAll)
  const counts = await parking.counts()
  if (counts.suspended !== tasks || counts.ended !== tasks) {
    throw new Error(`of ${tasks} tasks ${counts.suspended} were suspended and ${counts.ended} ended`)
  }
  return [
    park,
    { case: "resident", operations: tasks, bytes: (after.resident - before.resident) / tasks },
    { case: "heap", operations: tasks, bytes: (after.heap - before.heap) / tasks },
    first,
    kill,
    cancel
  ]
}

const costs = async (job: Job): Promise<ReadonlyArray<Cost>> => {
  const scenario = Arguments.named("scenario", scenarios, job.scenario)
  const peer = await import(`./peers/${job.peer}.ts`) as Peer
  if (scenario.parked !== undefined) return measureParking(peer.parking!, scenario.parked)
  const work = peer.works[`${job.scenario}/${job.case}`]
  if (work === undefined) throw new Error(`${job.peer} has no work for ${job.scenario}/${job.case}`)
  return [await measureWork(work, Arguments.named("case", scenario.cases, job.case!), job)]
}

console.log(`COSTS ${JSON.stringify(await costs(JSON.parse(process.argv[2]!) as Job))}`)
