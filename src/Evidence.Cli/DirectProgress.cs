namespace Evidence.Cli;

/// <summary>Reports on the calling thread; <see cref="Progress{T}"/> would queue each report.</summary>
internal sealed class DirectProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
