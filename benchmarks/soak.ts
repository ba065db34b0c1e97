/**
 * `pnpm soak`: how many connections and processes one worker has at once, and that nothing of them is left.
 *
 * When to reach for it: after a change of sockets, processes or scopes.
 * What it is not: a comparison with others (`main.ts`), or a test. It takes thousands of descriptors and processes, which
 * no test may; and it fails when one of them is left.
 */
import * as Machine from "./harness/Machine.ts"
import * as Table from "./harness/Table.ts"
import * as Options from "./soak/Options.ts"

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const options = Options.read(args)
  if (options === undefined) return console.log(Options.help)
  const { cores, cpu, kernel, node } = Machine.machine()
  console.log(`${cpu}, ${cores} cores, ${kernel}, Node ${node}`)
  for (const { count, soak } of options.soaks) {
    const { header, notes, problems, rows, title } = await soak(count)
    console.log(`\n## ${title}\n\n${[Table.markdown(header, rows), ...notes].join("\n\n")}`)
    for (const problem of problems) console.error(`\nFAILED: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
    else console.log("\nNothing is left.")
  }
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
