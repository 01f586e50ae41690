// How it looks. Everything can be set from the page by --licet-… properties: docs/sdk.md lists them.
const colours = (bg, fg, soft, line, accent, bad) => `--bg:var(--licet-background,${bg});--fg:var(--licet-text,${fg});
--soft:var(--licet-muted,${soft});--line:var(--licet-line,${line});--fill:var(--licet-button,${fg});--ink:var(--licet-button-text,${bg});
--accent:var(--licet-accent,${accent});--bad:${bad};`
const DARK = `color-scheme:dark;${colours('#191b1f', '#f0f1f3', '#a9b0ba', '#363a41', '#5cc9b5', '#ff9d92')}`
const CSS = `
:host{all:initial;position:absolute;overflow-wrap:anywhere;color-scheme:light;${colours('#fff', '#1b1e23', '#5a616b', '#dfe2e6', '#0b6a5b', '#a3261b')}
--r:var(--licet-radius,12px);font:var(--licet-font,15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif);color:var(--fg)}
@media(prefers-color-scheme:dark){:host(:not([data-theme=light])){${DARK}}}:host([data-theme=dark]){${DARK}}
*{box-sizing:border-box}
.card,dialog{background:var(--bg);color:var(--fg);border:1px solid var(--line);border-radius:var(--r);
box-shadow:0 12px 40px rgb(0 0 0/.18),0 2px 6px rgb(0 0 0/.08);padding:0;margin:0;display:flex;flex-direction:column;overflow:hidden}
.card{position:fixed;z-index:var(--licet-layer,2147483000);inset-inline-start:max(16px,env(safe-area-inset-left));bottom:max(16px,env(safe-area-inset-bottom));
width:min(30rem,calc(100vw - 32px));max-height:min(40rem,calc(100vh - 32px));max-height:min(40rem,calc(100dvh - 32px))}
dialog{position:fixed;inset:0;margin:auto;width:min(36rem,calc(100vw - 32px));height:fit-content;max-height:min(46rem,calc(100dvh - 32px))}
dialog:not([open]),[hidden],.first :is(ul,.fine,.buttons){display:none}.first{opacity:0}
dialog::backdrop{background:rgb(10 12 16/.45)}
.top{display:flex;gap:12px;align-items:flex-start;padding-block:20px 0;padding-inline:22px 12px}
.top h2{flex:1;margin:0;padding-top:2px;font-size:1.24em;line-height:1.3;letter-spacing:-.012em;font-weight:600;text-wrap:balance}
.body{padding:6px 22px 16px;overflow:auto;overscroll-behavior:contain}
p{margin:0}.body>p{color:var(--soft);margin-bottom:12px;text-wrap:pretty}
ul{list-style:none;margin:0;padding:0}
li{border-top:1px solid var(--line);padding:12px 0 8px}
li:last-child{padding-bottom:4px}
.row{display:flex;gap:16px;align-items:flex-start}
.row>div{flex:1;min-width:0}
.state:empty{display:none}.account{border-top:1px solid var(--line);margin-top:20px}.account>h4{font-size:1em;color:var(--fg)}.account [role=status]{font-size:.9em;color:var(--soft);margin-bottom:12px}.account .aloud{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
h3{font-size:1em;line-height:1.4;font-weight:600;margin:0 0 2px}
h4{font-size:.9em;font-weight:600;color:var(--soft);margin:22px 0 2px}h4+p{font-size:.9em;color:var(--soft);margin-bottom:12px}h4+ul{margin-top:10px}
li .note{font-size:.9em;color:var(--soft);margin-top:4px}
.tag{display:inline-block;font-size:.8em;line-height:1.5;font-weight:600;color:var(--accent);border:1px solid;border-radius:99px;padding:0 8px;vertical-align:1px}h3 .tag:not(:first-child){margin-inline-start:8px}
.new{color:var(--accent);font-size:.9em;font-weight:600;margin-top:4px}
summary{display:inline-block;cursor:pointer;font-size:.9em;color:var(--fg);text-decoration:underline;text-decoration-color:var(--line);text-decoration-thickness:1.5px;text-underline-offset:4px;padding:6px 0;list-style:none}
summary:hover{text-decoration-color:currentColor}summary::-webkit-details-marker{display:none}
summary::before{content:"";display:inline-block;width:.42em;height:.42em;border:solid;border-width:0 1.5px 1.5px 0;transform:rotate(45deg);margin-block:0 .18em;margin-inline:.1em .6em;transition:transform .15s}
details[open]>summary::before{transform:rotate(225deg);margin-block-end:0}
dl{margin:4px 0 2px;font-size:.9em;padding-inline-start:14px;border-inline-start:2px solid var(--line)}
dt{font-weight:600;margin-top:10px}dt:first-child{margin-top:0}dt.fresh{color:var(--accent)}dd{margin:0}
.fine{font-size:.8em;color:var(--soft);margin-top:12px}
a{color:inherit;text-underline-offset:3px}
.buttons{display:grid;grid-template-columns:1fr 1fr;gap:10px;padding:14px 22px 20px;border-top:1px solid var(--line)}
button{font:inherit;font-weight:600;line-height:1.25;min-height:46px;padding:9px 12px;border-radius:calc(var(--r)*.7);border:1.5px solid var(--fill);cursor:pointer;background:var(--fill);color:var(--ink);transition:opacity .12s}
button:hover{opacity:.86}
.small{flex:none;min-height:44px;padding:6px 14px;font-size:.9em;background:none;color:var(--fg);border-color:var(--line)}
.third{grid-column:1/-1;background:none;color:var(--fg);border-color:var(--line)}
.x{flex:none;width:44px;min-height:44px;padding:0;background:none;border-color:transparent;color:var(--soft);display:grid;place-items:center;margin-top:-7px}
.x svg{width:16px;height:16px;stroke:currentColor;stroke-width:1.75;fill:none;stroke-linecap:round}
.opener{position:fixed;z-index:var(--licet-layer,2147483000);inset-inline-start:max(12px,env(safe-area-inset-left));bottom:max(12px,env(safe-area-inset-bottom));min-height:36px;padding:6px 14px;font-size:.8em;border-radius:99px;background:var(--bg);color:var(--fg);border:1px solid var(--line);box-shadow:0 1px 4px rgb(0 0 0/.1)}
input{appearance:none;flex:none;position:relative;width:46px;height:26px;margin:0;border-radius:99px;border:1.5px solid var(--soft);background:transparent;cursor:pointer;transition:background .15s,border-color .15s}
input::after{content:"";position:absolute;top:50%;inset-inline-start:4px;width:16px;height:16px;margin-top:-8px;border-radius:50%;background:var(--soft);transition:inset-inline-start .15s,background .15s}
input:checked{background:var(--accent);border-color:var(--accent)}input:checked::after{inset-inline-start:23px;background:var(--bg)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}h2:focus,h3:focus{outline:none}
.bad{color:var(--bad)!important}
@media(max-width:32rem){.card,dialog{inset:auto 0 0;width:100%;max-width:none;margin:auto 0 0;border-radius:var(--r) var(--r) 0 0;border-width:1px 0 0;max-height:88vh;max-height:88dvh}
.top{padding-block:16px 0;padding-inline:16px 6px}.body{padding-inline:16px}.buttons{padding:12px 16px max(14px,env(safe-area-inset-bottom));gap:8px}button{font-size:.9em}.row:has(.small){display:block}.small{margin-top:8px}.third{min-height:44px}}
@media(max-height:18rem){.card,dialog[open]{display:block;overflow:auto}.card[hidden]{display:none}.body{overflow:visible}}
@media(forced-colors:active){input::after{background:CanvasText}input:checked{background:Highlight}input:checked::after{background:HighlightText}.tag{border-color:CanvasText}}
@media(prefers-reduced-motion:no-preference){.card:not(.first),dialog[open]:not(.first){animation:in .22s ease-out}@keyframes in{from{opacity:0;transform:translateY(10px)}}}
@media(prefers-reduced-motion:reduce){*,::before,::after{transition:none!important}}
@media print{:host{display:none}}
`

/** Styles for a shadow root. A constructed sheet needs no permission of a content security policy; older browsers get an element. */
export function dress(root, nonce) {
  try {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(CSS)
    root.adoptedStyleSheets = [sheet]
  } catch {
    const style = document.createElement('style')
    style.nonce = nonce ?? ''
    style.textContent = CSS
    root.append(style)
  }
}
