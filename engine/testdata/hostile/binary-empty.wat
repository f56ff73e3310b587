;; attack: No bytes at all.
;; want: refused

(module binary "")
