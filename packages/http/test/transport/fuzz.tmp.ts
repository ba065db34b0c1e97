import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as F from "./fuzz.ts"
const N = Number(process.argv[2]), seed = Number(process.argv[3] ?? 1)
const corpus = JSON.parse(fs.readFileSync("/work/shared/conformance/http1-llhttp.json", "utf8")).flatMap((c: any) => [c.input, c.input.replace(/HTTP\/1\.1\r\n/g, "HTTP/1.1\r\nHost: a\r\n")])
const random = new F.Random(seed)
const classes = new Map<string, { n: number; s: string[] }>()
const note = (k: string, b: Buffer, x: string) => { let c = classes.get(k); if (!c) classes.set(k, c = { n: 0, s: [] }); c.n++; if (c.s.length < 3) c.s.push(JSON.stringify(b.toString("latin1").slice(0, 300)) + "\n        " + x) }
Effect.runFork(Effect.scoped(Effect.gen(function* () {
  const own = yield* F.ours
  const node = F.nodes()
  const t0 = Date.now()
  let acc = 0, multi = 0
  for (let done = 0; done < N; ) {
    const batch: any[] = []
    for (let i = 0; i < 200 && done < N; i++, done++) {
      const b = F.input(random, corpus)
      const o = own([b]), s = own(F.split(random, b))
      if (JSON.stringify(o) !== JSON.stringify(s)) note("SPLIT", b, JSON.stringify(o) + " vs " + JSON.stringify(s))
      if (o.requests.length) acc++; if (o.requests.length > 1) multi++
      batch.push([b, node(b), o])
    }
    yield* Effect.promise(async () => { for (let k = 0; k < 5; k++) await new Promise((r) => setImmediate(r)) })
    for (const [b, n, o] of batch) { const c = F.classify(b, n, o, own); if (c) note(c, b, JSON.stringify(n) + "\n        " + JSON.stringify(o)) }
  }
  console.log(N, "ms", Date.now() - t0, "accepted", acc, "multi", multi)
  for (const [k, c] of [...classes].sort((a, b) => b[1].n - a[1].n)) { console.log(c.n, k); for (const s of c.s.slice(0, 2)) console.log("     ", s) }
  process.exit(0)
})))
