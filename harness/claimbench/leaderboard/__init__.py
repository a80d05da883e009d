"""Published results: files under version control, and what is made of them.

`published` is the format of the files, `publishing` fills them from the store, `merging` joins
those of several machines, `staleness` compares them with the present code, `board` sums them up,
`tables` and `site` show them, `diffing` compares two states. `mutation` are the scores of mutants.
"""
