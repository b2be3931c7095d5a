// What uPlot makes of Intl as it is loaded, without the cost: the page writes its numbers and times itself (format.js).
export class NoNumbers {
  format(value) {
    return String(value);
  }
}

export class NoTimes {
  resolvedOptions() {
    return {};
  }
}
