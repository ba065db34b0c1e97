/**
 * Log lines on standard output and standard error.
 *
 * When to reach for it: through the option `logTo`.
 * What it is not: a buffer. Node writes to terminals, files and pipes at once, so a reader that does not read makes the
 * process wait, and loses nothing.
 */

/** Writes lines, each with a line feed behind it. A reader that goes away costs log lines and never the process. */
export const writer = (stream: NodeJS.WriteStream): (line: string) => void => {
  // For good: the error of a line may come when the scope of its logger is closed.
  if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore)
  return (line) => void stream.write(`${line}\n`)
}

// --- private ---------------------------------------------------------------------------------------------------------

const ignore = () => {}
