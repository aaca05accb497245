/// The look of HTML reports: one sheet, no fonts to load, light and dark by the reader's setting, fit to print.
enum HTMLStyle {
    static let sheet = """

        :root{--paper:#fcfcfa;--card:#fff;--ink:#1d1f23;--quiet:#646a73;--line:#e2e3df;--code:#f4f4f0;
        --good:#1a7f52;--bad:#b8362f;--open:#96690a;--good-tint:#e7f4ed;--bad-tint:#fbeae8;--open-tint:#fbf3df;
        --s0:#2f68c4;--s1:#d0741c;--s2:#23936a;--s3:#8656bd;--s4:#c44569;--s5:#4d8a99}
        @media (prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1c1f23;--ink:#e6e7e9;--quiet:#989fa9;
        --line:#30343a;--code:#212429;--good:#57c794;--bad:#f0857d;--open:#e0b34c;--good-tint:#16291f;
        --bad-tint:#321c1b;--open-tint:#2d2614;--s0:#6f9ff0;--s1:#f0a054;--s2:#55c79a;--s3:#b58ae6;--s4:#ee7f9f;
        --s5:#7fbccb}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--paper);color:var(--ink);
        font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:60rem;margin:0 auto;padding:3rem 1.5rem 4rem}
        header{margin-bottom:2rem}
        .eyebrow{margin:0 0 .4rem;color:var(--quiet);font-size:.85rem;letter-spacing:.02em}
        h1{margin:0 0 .75rem;font-size:2rem;line-height:1.2;letter-spacing:-.015em;font-weight:680;text-wrap:balance}
        h2{margin:2.75rem 0 .75rem;font-size:1.25rem;letter-spacing:-.005em}
        h4{margin:1rem 0 .35rem;font-size:.8rem;color:var(--quiet);font-weight:600}
        p{margin:.75rem 0;max-width:44rem}
        .lead{font-size:1.1rem;color:var(--ink)}
        .verdict{margin:1.5rem 0;padding:1.1rem 1.25rem;border:1px solid var(--line);border-left:4px solid var(--open);
        border-radius:8px;background:var(--card)}
        .verdict.holds{border-left-color:var(--good)}.verdict.short{border-left-color:var(--bad)}
        .badge{margin:0 0 .5rem;font-weight:650;font-size:1.05rem;color:var(--open)}
        .holds .badge{color:var(--good)}.short .badge{color:var(--bad)}
        .scroll{overflow-x:auto;margin:1rem 0}
        table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
        caption{text-align:left;font-weight:620;padding:0 0 .4rem;font-size:.95rem}
        th,td{text-align:left;padding:.42rem 1.4rem .42rem 0;border-bottom:1px solid var(--line);vertical-align:top}
        th:last-child,td:last-child{padding-right:.25rem}
        thead th{color:var(--quiet);font-weight:560;font-size:.82rem;border-bottom-color:var(--quiet)}
        .number{text-align:right;white-space:nowrap}
        .emphasised td{font-weight:650}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.9rem;margin:1.25rem 0}
        .card{display:flex;flex-direction:column;gap:.15rem;padding:.9rem 1.1rem;border:1px solid var(--line);
        border-radius:8px;background:var(--card)}
        .card .label{color:var(--quiet);font-size:.85rem}
        .card .value{font-size:1.75rem;font-weight:640;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
        .card .small{color:var(--quiet);font-size:.8rem;font-variant-numeric:tabular-nums}
        .comparison{margin:1.25rem 0}
        .conclusion{margin:.25rem 0 1rem;font-weight:560;color:var(--open)}
        .better .conclusion{color:var(--good)}.worse .conclusion{color:var(--bad)}
        figure{margin:1.75rem 0}
        figcaption{font-weight:620;margin-bottom:.5rem;font-size:.95rem}
        figure svg{display:block;width:100%;height:auto;max-width:46rem;overflow:visible}
        svg text{fill:var(--quiet);font-size:12px;font-family:inherit;font-variant-numeric:tabular-nums}
        svg .label{fill:var(--ink)}
        svg .grid{stroke:var(--line);stroke-width:1}
        svg .axis{stroke:var(--quiet);stroke-width:1}
        svg .error{stroke:var(--ink);stroke-width:1.2;opacity:.65}
        .legend{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:0 0 .5rem;font-size:.85rem;color:var(--quiet)}
        .legend i{display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.4em}
        .samples{margin:1rem 0;border-top:1px solid var(--line)}
        .sample{border-bottom:1px solid var(--line)}
        summary{cursor:pointer}
        .sample>summary{display:flex;gap:.75rem;align-items:baseline;padding:.55rem .25rem;list-style:none}
        .sample>summary::-webkit-details-marker{display:none}
        .sample>summary::before{content:"▸";color:var(--quiet);flex:none;transition:transform .12s}
        .sample[open]>summary::before{transform:rotate(90deg)}
        .sample>summary:hover{background:var(--code)}
        .id{font-variant-numeric:tabular-nums;color:var(--quiet);flex:none;min-width:2ch}
        .opening{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
        .mark{flex:none;font-size:.78rem;padding:.05rem .5rem;border-radius:99px;background:var(--code);color:var(--quiet)}
        .mark.right{background:var(--good-tint);color:var(--good)}
        .mark.wrong{background:var(--bad-tint);color:var(--bad)}
        .mark.right::before{content:"✓ "}.mark.wrong::before{content:"✗ "}
        .inside{padding:0 .25rem 1.1rem 1.6rem}
        pre{margin:0;padding:.7rem .85rem;background:var(--code);border-radius:6px;white-space:pre-wrap;
        overflow-wrap:anywhere;font:.84rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
        .arms{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:0 1rem}
        .arm.right h4{color:var(--good)}.arm.wrong h4{color:var(--bad)}
        .score{font-weight:400;color:var(--quiet)}
        .step{margin:0 0 .4rem}.step summary{font-size:.8rem;color:var(--quiet);padding:.15rem 0}
        footer{margin-top:3.5rem;padding-top:1.25rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.85rem}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.25rem;margin:0}
        dt{color:var(--quiet)}dd{margin:0;color:var(--ink);overflow-wrap:anywhere}
        @media (max-width:40rem){main{padding:1.75rem 1rem 3rem}h1{font-size:1.55rem}.opening{white-space:normal}
        .sample>summary{flex-wrap:wrap}}
        @media print{:root{--paper:#fff}main{max-width:none;padding:0}.sample:not([open]){display:none}
        figure,.verdict,.comparison{break-inside:avoid}}

        """
}
