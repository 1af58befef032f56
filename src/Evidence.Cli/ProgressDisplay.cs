using System.Collections.Concurrent;
using System.Diagnostics;
using Spectre.Console;

namespace Evidence.Cli;

/// <summary>Progress on standard error: bars on a terminal, a line every few seconds when not, nothing where quiet.</summary>
internal sealed class ProgressDisplay : IAsyncDisposable
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Job> jobs = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Task display;

    internal ProgressDisplay(bool quiet) => display =
        quiet ? Task.CompletedTask : Console.IsErrorRedirected ? ShowLinesAsync() : ShowBarsAsync();

    /// <summary>Adds a piece of work.</summary>
    internal Job Add(string name)
    {
        var job = new Job(name);
        jobs.Enqueue(job);
        return job;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await display;
        stop.Dispose();
    }

    private async Task ShowLinesAsync()
    {
        while (await WaitAsync(LineInterval))
        {
            foreach (Job job in jobs.Where(j => j.Done > 0 && j.Done != j.Total))
            {
                string of = job.Total is { } total ? $" of {Units.Size(total)}" : "";
                string left = job.Left is { } time ? $", {time:h\\:mm\\:ss} left" : "";
                await Console.Error.WriteLineAsync($"{job.Name}: {job.Phase}, {Units.Size(job.Done)}{of}, {Units.Rate(job.Done, job.Elapsed)}{left}");
            }
        }
    }

    private async Task ShowBarsAsync()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bars = new Dictionary<Job, ProgressTask>();
                do
                {
                    foreach (Job job in jobs)
                    {
                        if (!bars.TryGetValue(job, out ProgressTask? bar))
                            bars.Add(job, bar = context.AddTask(Markup.Escape(job.Name)));
                        bar.Description = Markup.Escape($"{job.Name}: {job.Phase}");
                        bar.MaxValue = Math.Max(1, job.Total ?? job.Done + 1);
                        bar.Value = job.Done;
                        bar.IsIndeterminate = job.Total is null;
                    }
                }
                while (await WaitAsync(TimeSpan.FromMilliseconds(100)));
            });
    }

    private async Task<bool> WaitAsync(TimeSpan time)
    {
        await Task.Delay(time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !stop.IsCancellationRequested;
    }

    /// <summary>A piece of work, as far as it is.</summary>
    internal sealed class Job(string name)
    {
        private Stopwatch watch = Stopwatch.StartNew();
        private long done;

        internal string Name => name;

        internal string Phase { get; private set; } = "starting";

        internal long Done => Volatile.Read(ref done);

        internal long? Total { get; private set; }

        internal TimeSpan Elapsed => watch.Elapsed;

        internal TimeSpan? Left => Total is { } total && Done > 0 ? Elapsed * ((double)(total - Done) / Done) : null;

        internal void Report(string phase, long bytes, long? total)
        {
            if (!string.Equals(phase, Phase, StringComparison.Ordinal))
            {
                Phase = phase;
                watch = Stopwatch.StartNew();
                Volatile.Write(ref done, 0);
            }

            Total = total;
            Volatile.Write(ref done, Math.Max(bytes, Done));
        }
    }
}
