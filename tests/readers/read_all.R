# Reads a data set by scripts/read.R and by haven, and writes what R holds then: values and labels, as CSV files.
# Rscript read_all.R SET FOLDER TABLE...

arguments <- commandArgs(trailingOnly = TRUE)
set <- arguments[[1]]
to <- arguments[[2]]
tables <- arguments[-(1:2)]
suppressPackageStartupMessages(library(haven))

as_text <- function(value) {
  if (inherits(value, "POSIXct")) return(format(value, "%Y-%m-%dT%H:%M:%SZ", tz = "UTC"))
  if (inherits(value, "Date")) return(format(value, "%Y-%m-%d"))
  if (is.factor(value) || is.character(value)) {
    text <- as.character(value)
    text[!is.na(text) & text == ""] <- NA
    return(text)
  }
  number <- as.numeric(value)
  ifelse(is.na(number), NA, sprintf("%.15g", number))
}

write <- function(frame, name) {
  write.csv(frame, file.path(to, name), row.names = FALSE, na = "", fileEncoding = "UTF-8")
}

keep <- function(frame, source, table) {
  write(as.data.frame(lapply(frame, as_text), check.names = FALSE), paste0(source, "_", table, ".csv"))
  labels <- lapply(names(frame), function(name) {
    codes <- attr(frame[[name]], "labels", exact = TRUE)
    label <- attr(frame[[name]], "label", exact = TRUE)
    data.frame(
      column = name,
      label = if (is.null(label)) NA else label,
      code = if (is.null(codes)) NA else as.character(unname(codes)),
      said = if (is.null(codes)) NA else names(codes)
    )
  })
  write(do.call(rbind, labels), paste0(source, "_", table, "_labels.csv"))
}

setwd(set)
source("scripts/read.R", encoding = "UTF-8")
for (table in tables) {
  keep(get(table), "script", table)
  keep(read_dta(file.path("dta", paste0(table, ".dta"))), "dta", table)
  keep(read_sav(file.path("sav", paste0(table, ".sav"))), "sav", table)
  keep(read_xpt(file.path("xpt", paste0(table, ".xpt"))), "xpt", table)
}
cat("R", as.character(getRversion()), "with haven", as.character(packageVersion("haven")), "\n\n")
options(width = 180)
print(table(visit = visits$visit, status = droplevels(visits$status)))
