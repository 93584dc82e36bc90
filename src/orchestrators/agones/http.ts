import { Agent, request, type ClientRequest, type IncomingMessage } from "node:http";
import { seconds } from "../../internal/deadline.ts";
import { gameServerOf } from "./json.ts";
import { sidecarHost, type GameServer, type Sidecar, type Way } from "./sidecar.ts";

/** A GameServer is some kilobytes; annotations alone may be 256 KiB. */
const MAX_BYTES = 1024 * 1024;

/** The sidecar's gRPC gateway, with nothing but Node. */
export function overHttp(env: NodeJS.ProcessEnv = process.env): Way {
  const [host, port] = [sidecarHost(env), Number(env["AGONES_SDK_HTTP_PORT"] || 9358)];
  const open = () => Promise.resolve(createSidecar(host, port));
  return { host, port, protocol: "HTTP", variable: "AGONES_SDK_HTTP_PORT", open };
}

interface Question {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: object;
}

function createSidecar(host: string, port: number): Sidecar {
  const agent = new Agent({ keepAlive: true });
  let closed = false;

  function send({ method, path, body }: Question): ClientRequest {
    const headers = { "content-type": "application/json" };
    return request({ host, port, agent, method, path, headers }).end(body && JSON.stringify(body));
  }

  const once = (question: Question, ms: number): Promise<string> => answerOf(send(question), ms);

  async function ask(question: Question, ms: number): Promise<string> {
    const until = performance.now() + ms;
    const asked = send(question);
    try {
      return await answerOf(asked, ms);
    } catch (error) {
      // The sidecar may close a connection that nobody used for a while in the very moment in which it is used again.
      if (closed || !asked.reusedSocket || (error as NodeJS.ErrnoException).code !== "ECONNRESET") {
        throw error;
      }
      return once(question, Math.max(1, until - performance.now()));
    }
  }

  const look = async (ms: number) => gameServerOf(JSON.parse(await ask({ method: "GET", path: "/gameserver" }, ms)));
  return {
    connect: look,
    // It may have been heard, and the server be allocated by now.
    ready: (ms) => once({ method: "POST", path: "/ready", body: {} }, ms),
    shutdown: (ms) => ask({ method: "POST", path: "/shutdown", body: {} }, ms),
    setAnnotation: (key, value, ms) => ask({ method: "PUT", path: "/metadata/annotation", body: { key, value } }, ms),
    getGameServer: look,
    // Without a body it would be a bad request.
    ping: (ms) => ask({ method: "POST", path: "/health", body: {} }, ms),
    watch: (onUpdate, onEnd) => follow(send({ method: "GET", path: "/watch/gameserver" }), onUpdate, onEnd),
    close() {
      closed = true;
      agent.destroy();
    },
  };
}

function answerOf(asked: ClientRequest, ms: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => asked.destroy(new Error(`no answer in ${seconds(ms)}`)), ms).unref();
    const fail = (error: Error) => {
      clearTimeout(late);
      reject(error);
    };
    asked.on("error", fail);
    asked.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("error", fail);
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BYTES) {
          asked.destroy(new Error(`an answer of more than ${MAX_BYTES} characters`));
        }
      });
      response.on("end", () => {
        clearTimeout(late);
        if (response.statusCode === 200) {
          resolve(text);
        } else {
          reject(refusal(response, text));
        }
      });
    });
  });
}

/** The gateway has the code of gRPC in the body. */
function refusal({ statusCode }: IncomingMessage, text: string): Error {
  const code = Number(/"code":\s*(\d+)/.exec(text)?.[1] ?? Number.NaN);
  return Object.assign(new Error(`HTTP ${statusCode}${text && `: ${text.slice(0, 200)}`}`), code > 0 && { code });
}

/** A line of JSON for each update, `{"result":{..}}`, and at last one with `error`. */
function follow(
  asked: ClientRequest,
  onUpdate: (gameServer: GameServer) => void,
  onEnd: (problem: unknown) => void,
): () => void {
  let over = false;
  const end = (problem: unknown) => {
    if (!over) {
      over = true;
      asked.destroy();
      onEnd(problem);
    }
  };
  asked.on("error", end);
  asked.on("response", (response) => {
    let rest = "";
    response.setEncoding("utf8").on("error", end);
    response.on("end", () => end(response.statusCode === 200 ? "the sidecar ended it" : refusal(response, rest)));
    response.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      try {
        for (const line of lines.filter((one) => !over && one !== "")) {
          onUpdate(updateIn(line));
        }
        if (rest.length > MAX_BYTES) {
          end(`a message of more than ${MAX_BYTES} characters`);
        }
      } catch (error) {
        end(error);
      }
    });
  });
  return () => {
    over = true;
    asked.destroy();
  };
}

function updateIn(line: string): GameServer {
  const { result } = JSON.parse(line) as { readonly result?: unknown };
  if (result === undefined) {
    throw new Error(`no update but ${line.slice(0, 200)}`);
  }
  return gameServerOf(result);
}
