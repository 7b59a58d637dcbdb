"""Find concepts by the words people use: any order, the last word unfinished, synonyms, misspellings."""
