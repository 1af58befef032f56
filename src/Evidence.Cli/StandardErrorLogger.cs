using Microsoft.Extensions.Logging;

namespace Evidence.Cli;

/// <summary>The library's warnings, on standard error.</summary>
internal sealed class StandardErrorLogger : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"evidence: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}");
    }
}
