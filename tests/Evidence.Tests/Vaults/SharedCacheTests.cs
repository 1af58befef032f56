using System.Collections.Concurrent;
using Evidence.Vaults;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class SharedCacheTests
{
    [Fact]
    public void What_is_kept_is_bounded_right_and_what_was_used_last()
    {
        // Against a list that says what should be there.
        Prop.ForAll(Gen.Choose(0, 40).ToArbitrary(), Gen.Choose(0, 9).ListOf(200).ToArbitrary(), (capacity, keys) =>
        {
            var released = new List<string>();
            var cache = new SharedCache<int, string>(capacity, released.Add);
            var model = new List<int>();
            int loads = 0;
            foreach (int key in keys)
            {
                bool loaded = false;
                using (SharedCache<int, string>.Lease lease = cache.Take(key, k => Load(k, ref loaded)))
                    Assert.Equal($"value {key}", lease.Value);
                Assert.Equal(!model.Remove(key), loaded);
                loads += loaded ? 1 : 0;
                model.Add(key);
                while (model.Sum(k => k) > capacity)
                    model.RemoveAt(0);
                Assert.Equal(model.Sum(k => k), cache.Kept);
                Assert.All(Enumerable.Range(0, 10), k => Assert.Equal(model.Contains(k), cache.Has(k)));
            }

            Assert.Equal(loads - model.Count, released.Count);
        }).QuickCheckThrowOnFailure();

        static (string, long) Load(int key, ref bool loaded)
        {
            loaded = true;
            return ($"value {key}", key);
        }
    }

    [Fact]
    public void What_is_in_use_stays_and_is_released_once_it_is_not()
    {
        var released = new List<string>();
        var cache = new SharedCache<int, string>(10, released.Add);
        SharedCache<int, string>.Lease first = cache.Take(1, _ => ("one", 100));
        SharedCache<int, string>.Lease again = cache.Take(1, _ => throw new InvalidOperationException("It is there already."));
        Assert.Same(first.Value, again.Value);
        again.Dispose();
        Assert.Empty(released);
        first.Dispose();
        Assert.Equal(["one"], released);
        Assert.False(cache.Has(1));
        Assert.Equal(0, cache.Kept);
    }

    [Fact]
    public void Two_who_want_the_same_have_it_loaded_once_and_who_wants_another_does_not_wait()
    {
        var cache = new SharedCache<int, string>(1000);
        using var loading = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        int loads = 0;
        Task<string>[] readers = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                using SharedCache<int, string>.Lease lease = cache.Take(1, _ =>
                {
                    Interlocked.Increment(ref loads);
                    loading.Set();
                    goOn.Wait(TestContext.Current.CancellationToken);
                    return ("one", 1);
                });
                return lease.Value;
            },
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        loading.Wait(TestContext.Current.CancellationToken);
        // While the others wait: a lock that is held over all would never let this end.
        using (SharedCache<int, string>.Lease other = cache.Take(2, _ => ("two", 1)))
            Assert.Equal("two", other.Value);
        goOn.Set();
        Assert.All(readers, reader => Assert.Equal("one", reader.Result));
        Assert.Equal(1, loads);
    }

    [Fact]
    public void What_failed_is_told_to_all_and_tried_anew()
    {
        var cache = new SharedCache<int, string>(1000);
        Assert.Throws<EvidenceException>(() => cache.Take(1, _ => throw new EvidenceException(ErrorCode.ContentRefuted, "damaged")));
        Assert.False(cache.Has(1));
        using SharedCache<int, string>.Lease lease = cache.Take(1, _ => ("mended", 1));
        Assert.Equal("mended", lease.Value);
    }

    [Fact]
    public void What_is_prepared_is_loaded_together_once_and_only_what_was_not_there()
    {
        var released = new List<string>();
        var cache = new SharedCache<int, string>(25, released.Add);
        cache.Take(2, _ => ("two", 10)).Dispose();
        List<int> loaded = [];
        cache.Prepare([1, 2, 3], keys =>
        {
            loaded.AddRange(keys);
            return [("one", 10), ("three", 10)];
        });
        Assert.Equal([1, 3], loaded);
        // Bounded like anything else: what was used longest ago is gone.
        Assert.Equal(["two"], released);
        Assert.Equal(20, cache.Kept);
        foreach ((int key, string value) in (ReadOnlySpan<(int, string)>)[(1, "one"), (3, "three")])
        {
            using SharedCache<int, string>.Lease lease = cache.Take(key, _ => throw new InvalidOperationException("It is there already."));
            Assert.Equal(value, lease.Value);
        }

        cache.Prepare([1, 3], _ => throw new InvalidOperationException("They are there already."));
    }

    [Fact]
    public void What_cannot_be_prepared_is_loaded_by_whoever_takes_it()
    {
        var cache = new SharedCache<int, string>(1000);
        cache.Prepare([1, 2], _ => [(null, 0), ("two", 1)]);
        Assert.False(cache.Has(1));
        Assert.True(cache.Has(2));
        Assert.Throws<IOException>(() => cache.Prepare([3, 4], _ => throw new IOException("It fails.")));
        Assert.False(cache.Has(3) || cache.Has(4));
        foreach (int key in (ReadOnlySpan<int>)[1, 3, 4])
        {
            using SharedCache<int, string>.Lease lease = cache.Take(key, k => ($"value {k}", 1));
            Assert.Equal($"value {key}", lease.Value);
        }
    }

    [Fact]
    public async Task Who_wants_what_is_being_prepared_waits_for_it_and_who_wants_another_does_not()
    {
        var cache = new SharedCache<int, string>(1000);
        using var loading = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        Task preparing = Task.Factory.StartNew(
            () => cache.Prepare([1, 2], _ =>
            {
                loading.Set();
                goOn.Wait(TestContext.Current.CancellationToken);
                return [("one", 1), (null, 0)];
            }),
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        loading.Wait(TestContext.Current.CancellationToken);
        Task<string>[] waiting = [.. Enumerable.Range(1, 2).Select(key => Task.Factory.StartNew(
            () =>
            {
                using SharedCache<int, string>.Lease lease = cache.Take(key, k => ($"alone {k}", 1));
                return lease.Value;
            },
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        cache.Take(3, _ => ("three", 1)).Dispose();
        cache.Prepare([1, 2, 4], keys =>
        {
            Assert.Equal([4], keys);
            return [("four", 1)];
        });
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        goOn.Set();
        await preparing;
        Assert.Equal<string[]>(["one", "alone 2"], await Task.WhenAll(waiting));
    }

    [Fact]
    public void Many_at_once_get_what_they_asked_for_and_nothing_is_released_in_use()
    {
        var released = new ConcurrentDictionary<object, bool>(ReferenceEqualityComparer.Instance);
        var cache = new SharedCache<int, int[]>(50, value => Assert.True(released.TryAdd(value, true)));
        Parallel.For(0, 8, seed =>
        {
            var random = new Random(seed);
            for (int i = 0; i < 3000; i++)
            {
                int key = random.Next(20);
                if (random.Next(50) == 0)
                    _ = Record.Exception(() => cache.Take(key, _ => throw new IOException("It fails at times.")));
                if (random.Next(5) == 0)
                    cache.Prepare(Enumerable.Range(key, 4).Select(k => k % 20), keys => [.. keys.Select(k => k % 7 == seed ? default : (new[] { k }, 10L))]);
                using SharedCache<int, int[]>.Lease lease = Take(key);
                Assert.Equal(key, lease.Value[0]);
                Assert.False(released.ContainsKey(lease.Value));
            }
        });
        Assert.InRange(cache.Kept, 0, 50);

        SharedCache<int, int[]>.Lease Take(int key)
        {
            while (true)
            {
                try
                {
                    return cache.Take(key, k => ([k], 10));
                }
                catch (IOException)
                {
                    // Another's failure, which was this one's load too.
                }
            }
        }
    }
}
