using Evidence.Platform;
using Xunit;

namespace Evidence.Tests.Platform;

public sealed class FileLockTests : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("evidence-lock-");

    private string LockFile => Path.Combine(root.FullName, "lock");

    [Fact]
    public void A_lock_that_another_holds_is_not_had()
    {
        using (FileLock? first = FileLock.TryAcquire(LockFile))
        {
            Assert.NotNull(first);
            Assert.Null(FileLock.TryAcquire(LockFile));
        }

        using FileLock? second = FileLock.TryAcquire(LockFile);
        Assert.NotNull(second);
    }

    [Fact]
    public async Task Who_waits_gets_it_when_it_is_given_back()
    {
        FileLock first = FileLock.TryAcquire(LockFile)!;
        Task<FileLock> waiting = Task.Run(() => FileLock.Acquire(LockFile, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        first.Dispose();
        (await waiting).Dispose();
    }

    [Fact]
    public void Waiting_can_be_cancelled()
    {
        using FileLock first = FileLock.TryAcquire(LockFile)!;
        using var stop = new CancellationTokenSource(50);
        Assert.ThrowsAny<OperationCanceledException>(() => FileLock.Acquire(LockFile, stop.Token));
    }

    [Fact]
    public async Task Only_one_at_a_time_has_it()
    {
        int inside = 0;
        int most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () =>
            {
                for (int i = 0; i < 20; i++)
                {
                    using FileLock held = FileLock.Acquire(LockFile, TestContext.Current.CancellationToken);
                    most = Math.Max(most, Interlocked.Increment(ref inside));
                    Interlocked.Decrement(ref inside);
                }
            },
            TestContext.Current.CancellationToken)));
        Assert.Equal(1, most);
    }

    [Fact]
    public void A_lock_in_a_folder_that_is_not_there_is_an_error_with_its_name() =>
        Assert.Contains("nowhere", Assert.Throws<EvidenceException>(() => FileLock.TryAcquire(Path.Combine(root.FullName, "nowhere", "lock"))).Message, StringComparison.Ordinal);

    public void Dispose() => root.Delete(recursive: true);
}
