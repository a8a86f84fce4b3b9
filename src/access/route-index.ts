// Hosts and segment-wise path prefixes to routes: one map per host, then a tree by segment, so that a thousand routes
// cost what a few do (design: config.md, "the most specific host + longest path prefix wins").

interface Node<T> {
  value: T | undefined;
  children: Map<string, Node<T>> | undefined;
}

export class RouteIndex<T> {
  readonly #byHost = new Map<string, Node<T>>();
  readonly #anyHost: Node<T> = { value: undefined, children: undefined };

  /** Adds `value` for these hosts (absent: all). False where one of them already has a value at this prefix. */
  add(hosts: readonly string[] | undefined, prefix: string, value: T): boolean {
    const roots = hosts === undefined ? [this.#anyHost] : hosts.map((host) => this.#rootOf(hostName(host)));
    return roots.map((root) => insert(root, prefix, value)).every((added) => added);
  }

  /** The value with the longest prefix of `path` among the host's own, else among those of all hosts. */
  find(host: string, path: string): T | undefined {
    if (this.#byHost.size > 0) {
      const root = this.#byHost.get(host) ?? this.#byHost.get(hostName(host));
      const found = root === undefined ? undefined : longest(root, path);
      if (found !== undefined) return found;
    }
    return longest(this.#anyHost, path);
  }

  #rootOf(host: string): Node<T> {
    let root = this.#byHost.get(host);
    if (root === undefined) {
      root = { value: undefined, children: undefined };
      this.#byHost.set(host, root);
    }
    return root;
  }
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}

function insert<T>(root: Node<T>, prefix: string, value: T): boolean {
  let node = root;
  for (const segment of prefix.split('/').slice(1)) {
    node.children ??= new Map();
    let child = node.children.get(segment);
    if (child === undefined) {
      child = { value: undefined, children: undefined };
      node.children.set(segment, child);
    }
    node = child;
  }
  if (node.value !== undefined) return false;
  node.value = value;
  return true;
}

function longest<T>(root: Node<T>, path: string): T | undefined {
  let node = root;
  let found = node.value;
  let start = 1;
  // Depth is bounded by the deepest configured prefix: a path of a thousand segments stops where the tree does.
  while (node.children !== undefined && start <= path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const child = node.children.get(path.slice(start, end));
    if (child === undefined) break;
    node = child;
    found = node.value ?? found;
    start = end + 1;
  }
  return found;
}
