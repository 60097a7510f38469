"""How the page of an evaluation looks: light and dark, wide and narrow, marks that need no colour."""

STYLE = """
:root { color-scheme: light dark; --back: #fafbfc; --fore: #1c2128; --dim: #606b77; --panel: #e9ecf0;
  --accent: #0b63b0; --good: #0a4a29; --good-back: #cdf0dc; --bad: #7d1712; --bad-back: #fbdcda; }
@media (prefers-color-scheme: dark) { :root { --back: #0e1116; --fore: #d7dde5; --dim: #8b97a4;
  --panel: #1b222c; --accent: #7cc7ff; --good: #b8f5d2; --good-back: #12301f; --bad: #ffb3b3;
  --bad-back: #3a1a1c; } }
body { background: var(--back); color: var(--fore); font: 16px/1.5 system-ui, sans-serif;
  max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; color: var(--accent); margin: 2rem 0 .5rem; }
.dim, small { color: var(--dim); font-size: .85rem; } p.dim { margin: .2rem 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .35rem .8rem; border-bottom: 1px solid var(--panel); text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; vertical-align: top; }
th { color: var(--dim); font-size: .85rem; font-weight: 600; vertical-align: bottom; white-space: normal; }
.scroll { overflow-x: auto; } .scroll .text { overflow-wrap: normal; }
th.text, td.text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
td.name { font-weight: 600; } td small { display: block; }
.bar { position: relative; height: .5rem; min-width: 6rem; background: var(--panel); margin-top: .3rem; }
.bar i { position: absolute; top: 0; bottom: 0; background: var(--accent); opacity: .45; }
.bar b { position: absolute; top: -.15rem; bottom: -.15rem; width: 3px; margin-left: -1px;
  background: var(--fore); }
p.verdict { border-left: 4px solid var(--accent); padding: .2rem .8rem; font-weight: 600; }
.decision { width: 100%; table-layout: fixed; } .decision .name { width: 9rem; }
.decision td div > div { padding-left: .8rem; text-indent: -.8rem; margin-bottom: .15rem; }
.decision + p.dim { margin-top: 1rem; }
ul { list-style: none; padding: 0; margin: 1rem 0; }
li { border-left: 4px solid var(--dim); padding: .2rem .8rem; margin: .3rem 0; overflow-wrap: anywhere; }
li.good { border-color: var(--good); } li.bad { border-color: var(--bad); }
li.bad { color: var(--bad); background: var(--bad-back); }
li b { display: inline-block; min-width: 1.3em; }
details { border-bottom: 1px solid var(--panel); }
summary { cursor: pointer; display: grid; grid-template-columns: 4rem 1fr auto; gap: 0 1rem;
  padding: .35rem 0; align-items: baseline; }
summary:hover { background: var(--panel); }
.line::before { content: "▸ "; } details[open] > summary .line::before { content: "▾ "; }
summary .asked { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.scores { display: flex; flex-wrap: wrap; gap: .3rem; }
.score { border-radius: 3px; padding: 0 .45rem; font-size: .85rem; background: var(--panel);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.score b { display: inline-block; min-width: 1.6em; text-align: right; font-weight: inherit; }
.score.good { background: var(--good-back); color: var(--good); }
.score.bad { background: var(--bad-back); color: var(--bad); }
.row { padding: 0 0 1rem 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0 1rem; }
dt { color: var(--dim); } dd { margin: 0; }
pre, dd { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; unicode-bidi: isolate; }
pre { margin: .5rem 0; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: .8rem;
  align-items: start; }
section { background: var(--panel); border-left: 4px solid var(--accent); padding: .5rem .8rem; min-width: 0; }
section h3 { font-size: 1rem; margin: 0; display: flex; gap: .6rem; align-items: baseline; }
section ul { margin: 0; font-size: .85rem; color: var(--dim); } section li { padding: 0; border: 0; margin: 0; }
section details { border: 0; } section summary { display: list-item; font-size: .85rem; color: var(--dim); }
@media (max-width: 900px) {
  table.wide, table.wide tbody, table.wide tr, table.wide td { display: block; text-align: left; }
  table.wide tr.head { display: none; }
  table.wide tr { padding: .6rem 0; border-bottom: 1px solid var(--panel); }
  table.wide td { border: 0; padding: .05rem 0; display: grid; grid-template-columns: 9rem 1fr; }
  table.wide td::before { content: attr(data-of); color: var(--dim); font-size: .85rem; }
  table.wide td > * { grid-column: 2; } table.wide td:empty { display: none; }
  table.wide.decision .name { width: auto; display: block; }
  summary { grid-template-columns: 1fr; } summary .asked { white-space: normal; }
  th, td { padding: .3rem .5rem; }
}
""".strip()
