/** What the types of the old API allow, and what they do not. Nothing here runs. */
import * as Effect from "effect/Effect"
import { kore } from "kore-fx/legacy"
import * as net from "node:net"

function* generator(value: number) {
  yield kore.suspend(1)
  return value
}

export const coroutines = async () => {
  // Each result has the type of its coroutine, or is an exception.
  const [a, b, c, d, e]: [number | Error, string | Error, boolean | Error, null | Error, void | Error] = await kore
    .gather(generator(1), async () => "text", Effect.succeed(true), () => null, kore.suspend(1), { concurrency: 2 })
  const many: ReadonlyArray<number | Error> = await kore.gather(...[1, 2, 3].map(generator))
  // @ts-expect-error a result may be an exception
  const number: number = a
  // @ts-expect-error a Promise has started already
  void kore.gather(Promise.resolve(1))
  // @ts-expect-error a number is no coroutine
  void kore.gather(() => 1, 2)
  // @ts-expect-error there is no such keyword
  void kore.gather(() => 1, { concurency: 2 })
  // @ts-expect-error a concurrency is a number
  void kore.gather(() => 1, { concurrency: "2" })
  // @ts-expect-error a Promise has started already
  kore.task_create(Promise.resolve(1))
  // @ts-expect-error an id is a number
  kore.task_kill("1")
  return [b, c, d, e, many, number]
}

export const timers = () => {
  const timer: kore.Timer = kore.timer(() => {}, 100, kore.TIMER_ONESHOT)
  kore.timer(async (n: number) => n, 100, 0, { data: 7 })
  kore.timer((text) => text.length, 100, 0, { data: "text" })
  const closed: true = timer.close()
  // @ts-expect-error there is no such flag
  kore.timer(() => {}, 100, 2)
  // @ts-expect-error the flags are no keyword
  kore.timer(() => {}, 100)
  // @ts-expect-error a delay is a number
  kore.timer(() => {}, "100", 0)
  // @ts-expect-error a method is a function
  kore.timer("tick", 100, 0)
  // @ts-expect-error without data the method gets none
  kore.timer((n: number) => n, 100, 0)
  // @ts-expect-error the data is of another type
  kore.timer((n: number) => n, 100, 0, { data: "text" })
  return closed
}

export const processes = async () => {
  const proc: kore.Proc = kore.proc("ls -l", 1000, { env: ["A=1"] })
  kore.proc(["ls", "-l"], { env: { A: "1" } })
  const code: number = await proc.reap()
  const bytes: Buffer | null = await proc.recv(1024, 500)
  await proc.send("text")
  await proc.send(Buffer.from("bytes"))
  const killed: true = proc.kill()
  // @ts-expect-error an empty list has no program
  kore.proc([])
  // @ts-expect-error a timeout is a number
  kore.proc("ls", "1000")
  // @ts-expect-error there is no such keyword
  kore.proc("ls", { evn: [] })
  // @ts-expect-error an environment is of texts
  kore.proc("ls", { env: { A: 1 } })
  // @ts-expect-error a length is a number
  void proc.recv("1024")
  // @ts-expect-error a number cannot be sent
  void proc.send(1)
  return [code, bytes, killed]
}

export const sockets = async () => {
  const plain: kore.PlainSocket = kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM)
  plain.bind(["127.0.0.1", 80])
  const [host, port]: readonly [string, number] = plain.getsockname()
  const unix = kore.socket.socket(kore.socket.AF_UNIX, kore.socket.SOCK_DGRAM)
  unix.bind("@name")
  const name: string = unix.getsockname()
  const socket: kore.Socket = kore.socket_wrap(plain)
  kore.socket_wrap(unix)
  kore.socket_wrap(new net.Socket())
  await socket.connect(host, port)
  await socket.connect("/run/app.sock")
  const accepted: kore.Socket = await socket.accept()
  const received: Buffer | null = await accepted.recv(1024, 10)
  const [from, , data]: readonly [string, number, Buffer] = (await socket.recvfrom(1024))!
  const [path, bytes]: readonly [string | null, Buffer] = (await socket.recvfrom<kore.ReceivedUnix>(1024))!
  const [, , , ancillary] = (await socket.recvmsg(1024))!
  const length: number = ancillary[0]![0]
  await socket.sendto("127.0.0.1", "7", data)
  await socket.sendto("@name", "text")
  const ended: void = await accepted.end()
  // @ts-expect-error an address of IP has a port
  plain.bind("127.0.0.1")
  // @ts-expect-error a UNIX socket has a path
  unix.bind(["127.0.0.1", 80])
  // @ts-expect-error an option is a number
  plain.setsockopt("SOL_SOCKET", 1, 1)
  // @ts-expect-error a length is needed
  void socket.recv()
  // @ts-expect-error a number cannot be sent
  void socket.send(1)
  // @ts-expect-error a port and no data is no datagram
  void socket.sendto("127.0.0.1", 7)
  // @ts-expect-error that is no socket
  kore.socket_wrap({})
  return [name, received, from, path, bytes, length, ended]
}

export const messages = () => {
  kore.sendobj({ any: "thing" }, { worker: 1 })
  // @ts-expect-error the number of a worker is a number
  kore.sendobj(1, { worker: "1" })
  // @ts-expect-error there is no such keyword
  kore.sendobj(1, { wroker: 1 })
  const nothing: void = kore.sendobj(1)
  return nothing
}

export const functions = () => {
  const stopped: true = kore.shutdown()
  kore.sigtrap(12)
  kore.setname("shop")
  kore.coroname("task")
  kore.corotrace(1)
  // @ts-expect-error a signal is a number
  kore.sigtrap("SIGUSR2")
  // @ts-expect-error a name is text
  kore.setname(1)
  // @ts-expect-error a name is text
  kore.coroname(1)
  // @ts-expect-error a level is a number
  kore.corotrace(true)
  // @ts-expect-error a reason is text
  kore.fatalx(1)
  return stopped
}

// The compiler knows that nothing follows.
export const gives_up = (value: string | undefined): string => {
  if (value === undefined) kore.fatalx("no value")
  return value
}
