import { Disc3, HardDrive, Layers, Monitor } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { LineageNode } from '../../contract/guest-lineage.ts';
import { Button } from '../ui/Button.tsx';
import { cloneWords } from '../words/clone.ts';
import { compareNames, formatBytes } from '../words/format.ts';
import './LineageTree.css';

const w = cloneWords;
/** More of one base's dependants are only shown on demand. */
const childrenShown = 8;

/** The files that belong together with those that `isFocus` names: their grounds, and all that builds upon these. */
export function lineageRoots(nodes: readonly LineageNode[], isFocus: (node: LineageNode) => boolean): LineageNode[] {
  const byFile = new Map(nodes.map((node) => [node.file, node]));
  const groundOf = (node: LineageNode): LineageNode => {
    const base = node.base === null ? undefined : byFile.get(node.base);
    return base ? groundOf(base) : node;
  };
  return [...new Set(nodes.filter(isFocus).map(groundOf))];
}

/** Who builds upon what, as a tree; what it is about is marked. */
export function LineageTree({ nodes, isFocus }: { nodes: readonly LineageNode[]; isFocus: (node: LineageNode) => boolean }) {
  return (
    <ul className="lineage" aria-label={w.lineageLabel}>
      {lineageRoots(nodes, isFocus).map((root) => (
        <Branch key={root.file} node={root} nodes={nodes} isFocus={isFocus} />
      ))}
    </ul>
  );
}

function Branch({ node, nodes, isFocus }: { node: LineageNode; nodes: readonly LineageNode[]; isFocus: (node: LineageNode) => boolean }) {
  const [all, setAll] = useState(false);
  const children = nodes.filter((other) => other.base === node.file).sort((one, other) => compareNames(one.name, other.name));
  const shown = all ? children : children.slice(0, childrenShown);
  const Icon = node.kind === 'image' ? (node.name === '' ? HardDrive : Disc3) : node.kind === 'layer' ? Layers : Monitor;
  return (
    <li>
      <span className={isFocus(node) ? 'lineage-node lineage-here' : 'lineage-node'} {...(isFocus(node) ? { 'aria-current': true } : {})}>
        <Icon size={16} aria-hidden="true" />
        <NodeName node={node} />
        <span className="small muted lineage-size">{formatBytes(node.sizeBytes)}</span>
        {node.trashed && <span className="small muted">{w.inTrash}</span>}
      </span>
      {children.length > 0 && (
        <ul>
          {shown.map((child) => (
            <Branch key={child.file} node={child} nodes={nodes} isFocus={isFocus} />
          ))}
          {shown.length < children.length && (
            <li>
              <Button kind="quiet" onPress={() => setAll(true)}>
                {w.lineageMore(children.length - shown.length)}
              </Button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
}

function NodeName({ node }: { node: LineageNode }) {
  const name = node.kind === 'layer' ? w.frozenDisk : node.name || node.file;
  const to = node.guestId !== null && !node.trashed ? `/guests/${node.guestId}/overview` : null;
  if (to === null) return <bdi className="ellipsis">{name}</bdi>;
  return (
    <Link href={to} className="ellipsis" title={name}>
      <bdi>{name}</bdi>
    </Link>
  );
}
