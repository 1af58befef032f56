using System.Runtime.ExceptionServices;

namespace Evidence.Vaults;

/// <summary>
/// Keeps what was loaded for the next who wants it, up to a bound; what was used longest ago goes first. Two who want the same at once have it loaded once, and nobody else
/// waits for them. What is in use stays until it is no more.
/// </summary>
/// <param name="capacity">The most bytes that are kept while nobody uses them.</param>
/// <param name="release">Takes back what is no longer kept.</param>
internal sealed class SharedCache<TKey, TValue>(long capacity, Action<TValue>? release = null)
    where TKey : notnull
    where TValue : class
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Entry> entries = [];

    /// <summary>What nobody uses, the first to go first.</summary>
    private readonly LinkedList<Entry> idle = [];
    private long idleCost;

    /// <summary>The bytes that are kept while nobody uses them; never more than the bound.</summary>
    internal long Kept
    {
        get
        {
            lock (gate)
                return idleCost;
        }
    }

    /// <summary>Whether something is kept, or on its way.</summary>
    internal bool Has(TKey key)
    {
        lock (gate)
            return entries.ContainsKey(key);
    }

    /// <summary>Takes a value into use, loading it where it is not there.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="load">Loads it, and says how many bytes it takes. What it throws, everybody gets who waits for it; the next one tries anew.</param>
    internal Lease Take(TKey key, Func<TKey, (TValue Value, long Cost)> load)
    {
        Entry? entry;
        lock (gate)
        {
            if (!entries.TryGetValue(key, out entry))
                entries.Add(key, entry = new Entry(key));
            else if (entry.Node.List is not null)
                Unlist(entry);
            entry.Users++;
        }

        try
        {
            if (Volatile.Read(ref entry.Value) is null)
                Load(entry, load);
            return new Lease(this, entry);
        }
        catch
        {
            lock (gate)
            {
                if (entries.TryGetValue(key, out Entry? current) && ReferenceEquals(current, entry))
                    entries.Remove(key);
            }

            throw;
        }
    }

    /// <summary>Has several values loaded together, those that are not there yet; whoever wants one of them meanwhile waits for it.</summary>
    /// <param name="keys">Their keys.</param>
    /// <param name="load">Loads values, and says how many bytes each takes; null for what it cannot load, which is loaded alone, and the error found, once somebody takes it.</param>
    internal void Prepare(IEnumerable<TKey> keys, Func<IReadOnlyList<TKey>, IReadOnlyList<(TValue? Value, long Cost)>> load)
    {
        var begun = new List<Entry>();
        lock (gate)
        {
            foreach (TKey key in keys)
            {
                var entry = new Entry(key);
                if (!entries.TryAdd(key, entry))
                    continue;
                // Nobody else can have this one: whoever holds several at once waits for none.
                entry.Loading.Enter();
                entry.Users++;
                begun.Add(entry);
            }
        }

        if (begun.Count == 0)
            return;
        try
        {
            IReadOnlyList<(TValue? Value, long Cost)> values = load(begun.ConvertAll(entry => entry.Key));
            for (int i = 0; i < values.Count; i++)
            {
                begun[i].Cost = values[i].Cost;
                Volatile.Write(ref begun[i].Value, values[i].Value);
            }
        }
        finally
        {
            foreach (Entry entry in begun)
            {
                entry.Loading.Exit();
                GiveBack(entry);
            }
        }
    }

    private static void Load(Entry entry, Func<TKey, (TValue Value, long Cost)> load)
    {
        lock (entry.Loading)
        {
            entry.Failure?.Throw();
            if (entry.Value is not null)
                return;
            try
            {
                (TValue value, entry.Cost) = load(entry.Key);
                Volatile.Write(ref entry.Value, value);
            }
            catch (Exception e)
            {
                entry.Failure = ExceptionDispatchInfo.Capture(e);
                throw;
            }
        }
    }

    private void GiveBack(Entry entry)
    {
        List<Entry>? gone = null;
        lock (gate)
        {
            if (--entry.Users > 0)
                return;
            if (entry.Value is null)
            {
                entries.Remove(entry.Key);
                return;
            }

            idle.AddLast(entry.Node);
            idleCost += entry.Cost;
            while (idleCost > capacity)
            {
                Entry first = idle.First!.Value;
                Unlist(first);
                entries.Remove(first.Key);
                (gone ??= []).Add(first);
            }
        }

        if (release is not null)
            gone?.ForEach(e => release(e.Value!));
    }

    private void Unlist(Entry entry)
    {
        idle.Remove(entry.Node);
        idleCost -= entry.Cost;
    }

    /// <summary>A value in use, until disposal.</summary>
    internal readonly struct Lease(SharedCache<TKey, TValue> cache, Entry entry) : IDisposable
    {
        internal TValue Value => entry.Value!;

        public void Dispose() => cache.GiveBack(entry);
    }

    internal sealed class Entry
    {
        internal TValue? Value;

        internal Entry(TKey key)
        {
            Key = key;
            Node = new LinkedListNode<Entry>(this);
        }

        internal TKey Key { get; }

        /// <summary>Held by whoever loads the value; who wants it meanwhile waits for that.</summary>
        internal Lock Loading { get; } = new();

        internal LinkedListNode<Entry> Node { get; }

        internal int Users { get; set; }

        internal long Cost { get; set; }

        internal ExceptionDispatchInfo? Failure { get; set; }
    }
}
